import { encode } from 'cborg';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat } from '../../src/lib/bytes.ts';
import { decodeOperations, encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { ACCOUNT, fileAdd, folderAdd, idOf, NOW_MS, VAULT, versionOf } from './world.ts';

const hash = new Uint8Array(32).fill(9);
const inbox = { blob: idOf('inbox', 1), publicKey: hash, epoch: 1 };
const page = { page: idOf('page', 1), sizeBytes: 1234, sha256: hash };

const EVERY_KIND: readonly Operation[] = [
  { kind: 'genesis', vault: VAULT, account: ACCOUNT, identityPublicKey: hash, inbox, atMs: NOW_MS },
  {
    kind: 'device-enrol',
    device: idOf('device', 1),
    publicKey: hash,
    name: 'Änne’s phone',
    agreementKey: hash,
    certificate: new Uint8Array(64),
  },
  { kind: 'device-revoke', device: idOf('device', 1), since: 3 },
  { kind: 'inbox-key', inbox },
  { kind: 'keyring', version: 2, hash },
  folderAdd(1, 'Photos'),
  fileAdd(1, '🗝.txt', idOf('folder', 1)),
  {
    kind: 'version-add',
    file: idOf('file', 1),
    version: { ...versionOf(2), modifiedAtMs: -1, mediaType: '' },
  },
  { kind: 'version-restore', file: idOf('file', 1), blob: idOf('blob', 1) },
  { kind: 'rename', entry: idOf('file', 1), name: 'b' },
  { kind: 'move', entry: idOf('file', 1), folder: '' },
  { kind: 'trash', entry: idOf('file', 1), atMs: NOW_MS },
  { kind: 'restore', entry: idOf('file', 1) },
  { kind: 'purge', entry: idOf('file', 1) },
  { kind: 'purged', blobs: [idOf('blob', 1), idOf('blob', 2)] },
  { kind: 'tag', entry: idOf('file', 1), tags: ['red', 'to do'] },
  { kind: 'snapshot', snapshot: { seq: 256, hash, stateHash: hash, pages: [page] } },
  { kind: 'heartbeat', seq: 7, hash, atMs: NOW_MS },
  { kind: 'epoch', epoch: 1, rotation: idOf('turn', 1), hash, boxes: [{ device: idOf('device', 1), hash }] },
  { kind: 'inbox-retire', epoch: 4 },
  { kind: 'inbox-key', inbox, atMs: NOW_MS },
  { kind: 'heartbeat', seq: 7, hash, atMs: NOW_MS, inboxEpoch: 2 },
];

test.each(EVERY_KIND.map((operation) => [operation.kind, operation] as const))(
  'reads a %s as it was written',
  (_, operation) => {
    const decoded = decodeOperations(encodeOperation(operation), 256);
    expect(decoded).toEqual({ operations: [operation], malformed: 0 });
  },
);

test('reads a sequence in its order', () => {
  const decoded = decodeOperations(concat(...EVERY_KIND.map(encodeOperation)), 256);
  expect(decoded).toEqual({ operations: EVERY_KIND, malformed: 0 });
});

test.each([
  ['an unknown number', [99, idOf('file', 1)]],
  ['a missing field', [8, idOf('file', 1)]],
  ['a field too many', [8, idOf('file', 1), 'b', 'c']],
  ['another type', [8, idOf('file', 1), 5]],
  ['a short id', [11, 'abc']],
  ['an id that is not canonical', [11, `${'A'.repeat(21)}B`]],
  ['a name with a slash', [8, idOf('file', 1), '../x']],
  ['a map in place of a list', [13, { length: 1 }]],
  ['no array at all', 'purge'],
  ['an endless list', [13, Array.from({ length: 1001 }, (_, index) => idOf('blob', index))]],
  ['a negative version', [4, -1, hash]],
  ['a hash that is too short', [4, 1, hash.subarray(1)]],
  ['a fraction', [10, idOf('file', 1), 0.5]],
  ['a time that is none where there may be one', [3, [inbox.blob, hash, 1], 'now']],
  ['a field too many behind one that may be missing', [16, 7, hash, NOW_MS, 2, 2]],
  ['no field where one may be missing, but not this one', [16, 7, hash]],
  ['16 arrays within one another', nested(15, [])],
  ['16 arrays and maps within one another', nested(7, { a: [{ b: [{ c: [{ d: [{}] }] }] }] })],
])('counts %s as malformed and goes on behind it', (_, raw) => {
  const after = EVERY_KIND[11]!;
  const decoded = decodeOperations(concat(encode(raw), encodeOperation(after)), 256);
  expect(decoded).toEqual({ operations: [after], malformed: 1 });
});

/** So many arrays around a value. */
function nested(levels: number, value: unknown): unknown {
  return levels === 0 ? value : [nested(levels - 1, value)];
}

test.each([
  ['17 arrays', nested(16, [])],
  ['17 arrays and maps', nested(15, { a: [] })],
  ['17 arrays, the last beside other values', nested(8, [1, [[], nested(7, ['x'])], { a: 2 }])],
  ['1,000 arrays', nested(1000, [])],
  ['an operation of which one field has 17 levels', [8, idOf('file', 1), nested(16, 'b')]],
])('gives up at %s within one another, where an engine’s own stack would not yet', (_, raw) => {
  const [before, after] = [encodeOperation(EVERY_KIND[11]!), encodeOperation(EVERY_KIND[12]!)];
  const decoded = decodeOperations(concat(before, encode(raw), after), 256);
  expect(decoded).toEqual({ operations: [EVERY_KIND[11]], malformed: 1 });
});

test('many arrays beside one another are not deep', () => {
  const wide = nested(
    13,
    Array.from({ length: 40 }, () => [[], {}]),
  );
  const decoded = decodeOperations(concat(encode(wide), encodeOperation(EVERY_KIND[11]!)), 256);
  expect(decoded).toEqual({ operations: [EVERY_KIND[11]], malformed: 1 });
});

test('gives up where the bytes are no CBOR, or not in its shortest form', () => {
  const before = encodeOperation(EVERY_KIND[11]!);
  for (const rest of [[0xff], [0x18, 0x01], [0x9f, 0xff], [0x82, 0x0b], [0xfb, 0, 0], [0xf7]]) {
    const decoded = decodeOperations(concat(before, Uint8Array.from(rest)), 256);
    expect(decoded.operations).toHaveLength(1);
    expect(decoded.malformed).toBe(1);
  }
});

test('reads no more than 256 operations', () => {
  const one = encodeOperation(EVERY_KIND[11]!);
  expect(decodeOperations(concat(...Array.from({ length: 256 }, () => one)), 256).malformed).toBe(0);
  const over = decodeOperations(concat(...Array.from({ length: 300 }, () => one)), 256);
  expect(over).toMatchObject({ malformed: 1, operations: { length: 256 } });
});

test('never throws, whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { operations, malformed } = decodeOperations(bytes, 256);
      expect(bytes.length === 0 || operations.length + malformed > 0).toBe(true);
    }),
    { seed: 11, numRuns: 2000 },
  );
  expect(decodeOperations(new Uint8Array(200_000).fill(0x81), 256)).toEqual({ operations: [], malformed: 1 });
});

test('refuses to write what it would not read', () => {
  expect(() => encodeOperation({ kind: 'rename', entry: 'x', name: 'b' })).toThrow(TypeError);
  expect(() => encodeOperation({ kind: 'rename', entry: idOf('file', 1), name: 'a/b' })).toThrow(TypeError);
});

test('takes −0.0 for 0, as the columns of a snapshot would not', () => {
  // Operation 10 is `trash`: entry, atMs; 0xf9 0x80 0x00 is −0.0 as a half float.
  const plain = encodeOperation({ kind: 'trash', entry: idOf('file', 1), atMs: 0 });
  const negative = concat(plain.subarray(0, -1), Uint8Array.of(0xf9, 0x80, 0x00));
  const { operations } = decodeOperations(negative, 256);
  expect(operations).toHaveLength(1);
  expect(Object.is((operations[0] as { atMs: number }).atMs, 0)).toBe(true);
});
