import { encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signingKeyFromSeed } from '../../src/lib/crypto/signing.ts';
import { certifyDevice } from '../../src/lib/journal/entries/certificate.ts';
import { applySegment } from '../../src/lib/journal/state/fold.ts';
import { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { decodeOperations, encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import { MAX_OPERATIONS, type Operation } from '../../src/lib/journal/entries/operations.ts';
import { encodeState as encodeOurs } from '../../src/lib/journal/state/state-encoding.ts';
import { entryOperation, purgingOperation } from '../journal/operation-arbitrary.ts';
import { ACCOUNT, fileAdd, idOf, NOW_MS, VAULT, versionOf } from '../journal/world.ts';
import { foldSequence } from './fold.ts';
import { concat, type Bytes } from './primitives.ts';
import { emptyState } from './state.ts';
import { encodeState } from './state-bytes.ts';

const DEVICE = idOf('device', 1);
const filled = (value: number): Bytes => new Uint8Array(32).fill(value);
const IDENTITY = await signingKeyFromSeed(filled(1));
const GENESIS: Operation = {
  kind: 'genesis',
  vault: VAULT,
  account: ACCOUNT,
  identityPublicKey: IDENTITY.publicKey,
  inbox: { blob: idOf('inbox', 0), publicKey: filled(3), epoch: 0 },
  atMs: NOW_MS,
};

// What the devices still need decides which inbox keys are retired.
const ENROLMENTS: readonly Operation[] = await Promise.all(
  [DEVICE, idOf('device', 2)].map(async (device) => {
    const keys = { device, publicKey: filled(8), agreementKey: filled(9) };
    const certificate = await certifyDevice(IDENTITY.privateKey, ACCOUNT, keys);
    return { kind: 'device-enrol', ...keys, name: 'Device', certificate } as const;
  }),
);
const BEGINNING = concat(...[GENESIS, ...ENROLMENTS].map(encodeOperation));

const seqs = fc.integer({ min: 0, max: 12 });
const vaultOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('keyring' as const), version: seqs, hash: fc.constant(filled(5)) }),
  fc.record({
    kind: fc.constant('inbox-key' as const),
    inbox: fc.record({
      blob: seqs.map((number) => idOf('blob', number)),
      publicKey: fc.constant(filled(6)),
      epoch: fc.integer({ min: 0, max: 4 }),
    }),
    atMs: fc.constantFrom(undefined, 0, NOW_MS),
  }),
  fc.record({ kind: fc.constant('inbox-retire' as const), epoch: fc.integer({ min: 0, max: 4 }) }),
  fc.record({
    kind: fc.constant('heartbeat' as const),
    seq: seqs,
    hash: fc.constantFrom(filled(7), filled(8)),
    atMs: fc.constant(NOW_MS),
    inboxEpoch: fc.constantFrom(undefined, 0, 1, 2, 3),
  }),
  fc.record({
    kind: fc.constant('snapshot' as const),
    snapshot: fc.record({
      seq: seqs,
      hash: fc.constant(filled(7)),
      stateHash: fc.constant(filled(9)),
      pages: fc.constant([{ page: idOf('page', 1), sizeBytes: 900, sha256: filled(4) }]),
    }),
  }),
  fc.record({
    kind: fc.constant('device-revoke' as const),
    device: fc.constant(idOf('device', 2)),
    since: seqs,
  }),
  fc.record({
    kind: fc.constant('epoch' as const),
    epoch: fc.integer({ min: 1, max: 3 }),
    rotation: fc.constant(idOf('turn', 1)),
    hash: fc.constant(filled(6)),
    boxes: fc.subarray([
      { device: DEVICE, hash: filled(1) },
      { device: idOf('device', 2), hash: filled(2) },
    ]),
  }),
);

// Names at the edges: 255 bytes, extensions of 15 and 16 units behind the dot, decomposed, beyond the first plane.
const LONG = [
  'x'.repeat(255),
  `${'\u{1f600}'.repeat(60)}.jpeg`,
  `a.${'e'.repeat(15)}`,
  `a.${'e'.repeat(16)}`,
  '.a',
  'e\u0301.txt',
  '\u00e9'.repeat(127),
];
const longName: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constant('file-add' as const),
  file: fc.integer({ min: 0, max: 30 }).map((number) => idOf('long', number)),
  folder: fc.constant(''),
  name: fc.constantFrom(...LONG),
  version: fc.integer({ min: 100, max: 140 }).map((number) => versionOf(number)),
});

// What no writer writes: other numbers, too few or too many fields, wrong types, tags, floats, bytes that are no CBOR.
const odd: fc.Arbitrary<Bytes> = fc.oneof(
  fc
    .constantFrom([99, 'later'], [11], [5, idOf('folder', 0), ''], [17, idOf('file', 0), 1], 'text', null, {})
    .map((value) => new Uint8Array(encode(value))),
  fc
    .constantFrom(
      [10, idOf('file', 1), 1.5],
      [8, idOf('file', 1), '..'],
      [8, idOf('file', 1), 'a/b'],
      [8, 'short', 'name'],
      [99, { key: [true, false, null] }],
      [6, idOf('file', 1), '', 'a', []],
      [18],
      [12, idOf('file', 1)],
      [2, idOf('device', 2)],
      [3, [idOf('blob', 1), filled(6), 1], 0.5],
      [16, 1, filled(7), NOW_MS, 1, 1],
    )
    .map((value) => new Uint8Array(encode(value))),
  // A tag, an indefinite array, an integer in too many bytes, a map with an integer for a key, an end too early.
  fc
    .constantFrom(
      'c100',
      '9f00ff',
      '8218057818',
      '820c1800',
      '8118631901',
      `${'81'.repeat(15)}80`,
      `${'81'.repeat(16)}80`,
      `82${'81'.repeat(14)}a0${'81'.repeat(15)}a0`,
      'a10102',
      '82',
      'fb7ff0000000000000',
    )
    .map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
);

// Two folders and three files, so that what is purged or restored is often in a folder that matters.
const [one, two] = [idOf('folder', 90), idOf('folder', 91)];
const files = [idOf('file', 90), idOf('file', 91), idOf('file', 92)];
const crowdedEntry = fc.constantFrom(one, two, ...files);
const crowdedFolder = fc.constantFrom('', one, two);
const crowdedName = fc.constantFrom('a', 'b');
const crowdedVersion = fc.integer({ min: 200, max: 230 }).map((number) => versionOf(number));
const crowded: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: fc.constant('folder-add' as const),
    folder: fc.constantFrom(one, two),
    parent: crowdedFolder,
    name: crowdedName,
  }),
  fc.record({
    kind: fc.constant('file-add' as const),
    file: fc.constantFrom(...files),
    folder: crowdedFolder,
    name: crowdedName,
    version: crowdedVersion,
  }),
  fc.record({
    kind: fc.constant('version-add' as const),
    file: fc.constantFrom(...files),
    version: crowdedVersion,
  }),
  fc.record({
    kind: fc.constant('version-restore' as const),
    file: fc.constantFrom(...files),
    blob: crowdedVersion.map(({ blob }) => blob),
  }),
  fc.record({ kind: fc.constant('move' as const), entry: crowdedEntry, folder: crowdedFolder }),
  fc.record({ kind: fc.constant('rename' as const), entry: crowdedEntry, name: crowdedName }),
  fc.record({ kind: fc.constant('trash' as const), entry: crowdedEntry, atMs: fc.constantFrom(0, 7) }),
  fc.record({ kind: fc.constant('restore' as const), entry: crowdedEntry }),
  fc.record({ kind: fc.constant('purge' as const), entry: crowdedEntry }),
  fc.record({
    kind: fc.constant('purged' as const),
    blobs: fc.array(
      fc.integer({ min: 200, max: 230 }).map((number) => versionOf(number).blob),
      { maxLength: 8 },
    ),
  }),
);

interface Sequence {
  readonly device: string | undefined;
  readonly sequence: Bytes;
}

/** Whether this reader and the product fold these segments, behind a genesis, to the same bytes. */
function agreeOn(segments: readonly Sequence[]): boolean {
  const [state, ours] = [emptyState(), new FoldedVault()];
  const sequences = [{ device: undefined, sequence: BEGINNING }, ...segments];
  for (const [seq, { device, sequence }] of sequences.entries()) {
    foldSequence(state, sequence, { seq, prevHash: filled(7), device });
    const decoded = decodeOperations(sequence, MAX_OPERATIONS);
    applySegment(ours, { seq, prevHash: filled(7), writer: device, ...decoded });
  }
  const head = { seq: segments.length, hash: filled(2) };
  return Buffer.from(encodeState(state, head)).equals(encodeOurs(ours, head));
}

const writer = fc.constantFrom(DEVICE, DEVICE, DEVICE, idOf('device', 2), undefined);
const journalOf = (parts: fc.Arbitrary<Bytes[]>, writers: typeof writer): fc.Arbitrary<Sequence[]> =>
  fc.array(fc.record({ device: writers, sequence: parts.map((all) => concat(...all)) }), { maxLength: 8 });

describe('folds to the same bytes as the product', () => {
  test('journals of operations of all kinds, and of what is none', () => {
    const part = fc.oneof(
      { weight: 12, arbitrary: entryOperation.map(encodeOperation) },
      { weight: 3, arbitrary: vaultOperation.map(encodeOperation) },
      { weight: 3, arbitrary: longName.map(encodeOperation) },
      { weight: 1, arbitrary: odd },
    );
    const journals = journalOf(fc.array(part, { maxLength: 24 }), writer);
    fc.assert(fc.property(journals, agreeOn), { seed: 20_261_121, numRuns: 800 });
  });

  test('journals of few entries, which are moved, trashed, restored and purged in one another’s way', () => {
    const parts = fc.array(crowded.map(encodeOperation), { minLength: 10, maxLength: 60 });
    const journals = journalOf(parts, fc.constant(DEVICE));
    fc.assert(fc.property(journals, agreeOn), { seed: 20_261_122, numRuns: 800 });
  });

  test('a purged folder whose file finds no free name in the top folder', () => {
    const names = ['a', ...Array.from({ length: 98 }, (_, index) => `a (${String(index + 2)})`)];
    names.push(`a (${files[0]!})`);
    const taken = names.map((name, index) => fileAdd(300 + index, name));
    const inside: Operation[] = [
      { kind: 'folder-add', folder: one, parent: '', name: 'b' },
      { kind: 'file-add', file: files[0]!, folder: one, name: 'a', version: versionOf(200) },
      { kind: 'purge', entry: one },
      { kind: 'restore', entry: files[0]! },
    ];
    const sequence = concat(...[...taken, ...inside].map(encodeOperation));
    expect(agreeOn([{ device: DEVICE, sequence }])).toBe(true);
  });

  test('journals in which files are purged while inbox keys come and go', () => {
    const part = fc.oneof(
      { weight: 9, arbitrary: purgingOperation },
      { weight: 1, arbitrary: vaultOperation },
    );
    const parts = fc.array(part.map(encodeOperation), { maxLength: 60, size: 'max' });
    fc.assert(fc.property(journalOf(parts, writer), agreeOn), { seed: 20_261_123, numRuns: 800 });
  });

  test('a segment with 257 operations', () => {
    const operations = Array.from({ length: 257 }, (_, index) => fileAdd(index));
    const sequence = concat(...operations.map(encodeOperation));
    expect(agreeOn([{ device: DEVICE, sequence }])).toBe(true);
  });
});
