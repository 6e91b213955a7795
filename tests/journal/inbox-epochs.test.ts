import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operationsToAdopt } from '../../src/lib/journal/adoption.ts';
import { applySegment, fold, type FoldableSegment } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import {
  inboxEpochNeeded,
  isInboxKeyDue,
  operationsToRetire,
  unneededBelow,
} from '../../src/lib/journal/state/inbox-epochs.ts';
import type { Operation, Version } from '../../src/lib/journal/entries/operations.ts';
import { isSound } from '../../src/lib/journal/state/state-check.ts';
import { decodeState, encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import { entryOperation, purgingOperation } from './operation-arbitrary.ts';
import { fileAdd, folderAdd, idOf, NOW_MS, versionOf } from './world.ts';

const HASH = new Uint8Array(32).fill(5);
const [LAPTOP, PHONE] = [idOf('device', 1), idOf('device', 2)];
const IDENTITY = 'identity';
const DAY_MS = 24 * 60 * 60 * 1000;
const file = (number: number): string => idOf('file', number);

const enrol = (device: string): Operation => ({
  kind: 'device-enrol',
  device,
  publicKey: HASH,
  agreementKey: HASH,
  name: 'Device',
  certificate: new Uint8Array(64),
});
const inboxKey = (epoch: number, atMs?: number): Operation => ({
  kind: 'inbox-key',
  inbox: { blob: idOf('inbox', epoch), publicKey: HASH, epoch },
  atMs,
});
const needs = (inboxEpoch: number | undefined): Operation => ({
  kind: 'heartbeat',
  seq: 0,
  hash: HASH,
  atMs: NOW_MS,
  inboxEpoch,
});
/** From now on. */
const revoke = (device: string): Operation => ({ kind: 'device-revoke', device, since: 0 });
const retire = (epoch: number): Operation => ({ kind: 'inbox-retire', epoch });
const purge = (number: number): Operation => ({ kind: 'purge', entry: file(number) });

/** A vault with two devices; `run` folds one more segment, and the state is read back from a snapshot now and then. */
class Vault {
  state: FoldedVault;
  #seq = 0;

  constructor(genesisAtMs = NOW_MS) {
    const genesis: Operation = {
      kind: 'genesis',
      vault: 'v',
      account: idOf('account', 1),
      identityPublicKey: HASH,
      inbox: { blob: idOf('inbox', 0), publicKey: HASH, epoch: 0 },
      atMs: genesisAtMs,
    };
    this.state = fold([segment([genesis, enrol(LAPTOP), enrol(PHONE)], 0, undefined)]);
  }

  /** @returns how many of the operations were skipped */
  run(operations: readonly Operation[], writer: string = LAPTOP): number {
    const before = this.state.skippedOperations;
    applySegment(this.state, segment(operations, ++this.#seq, writer === IDENTITY ? undefined : writer));
    return this.state.skippedOperations - before;
  }

  reload(): void {
    const head = { seq: this.#seq, hash: HASH };
    const encoded = encodeState(this.state, head);
    this.state = decodeState(encoded).state;
    expect(isSound(this.state)).toBe(true);
    expect(encodeState(this.state, head)).toEqual(encoded);
  }
}

function segment(operations: readonly Operation[], seq: number, writer: string | undefined): FoldableSegment {
  return { seq, prevHash: HASH, writer, operations, malformed: 0 };
}

describe('what was purged', () => {
  const other: Version = { ...versionOf(1), blob: idOf('blob', 50) };
  const replays: readonly (readonly [string, Operation])[] = [
    ['the file as it was', fileAdd(1)],
    ['the file with another blob', { ...fileAdd(1), version: other } as Operation],
    ['its blob as another file', { ...fileAdd(1), file: file(7) } as Operation],
    ['an older version’s blob as another file', { ...fileAdd(9), file: file(7) } as Operation],
    ['its blob as another file’s version', { kind: 'version-add', file: file(2), version: versionOf(1) }],
    ['a folder with the file’s id', { ...folderAdd(1, 'a'), folder: file(1) } as Operation],
    [
      'an inbox key with its blob',
      { ...inboxKey(1), inbox: { blob: versionOf(1).blob, publicKey: HASH, epoch: 1 } } as Operation,
    ],
  ];

  describe.each(['at once', 'after the broker erased it'])('%s', (when) => {
    test.each(replays)('does not come back: %s', (_, replay) => {
      for (const reloads of [false, true]) {
        const vault = new Vault();
        vault.run([fileAdd(2), fileAdd(1), { kind: 'version-add', file: file(1), version: versionOf(9) }]);
        vault.run([purge(1)]);
        if (when !== 'at once') {
          vault.run(
            [{ kind: 'purged', blobs: vault.state.hiddenFiles().flatMap(({ blobs }) => blobs) }],
            PHONE,
          );
        }
        if (reloads) vault.reload();
        const before = encodeState(vault.state, { seq: 9, hash: HASH });
        expect(vault.run([replay])).toBe(1);
        vault.state.skippedOperations--;
        expect(encodeState(vault.state, { seq: 9, hash: HASH })).toEqual(before);
      }
    });
  });

  test('stays away while a key lives that was there when it went, and no longer', () => {
    const vault = new Vault();
    vault.run([
      fileAdd(1),
      inboxKey(1),
      purge(1),
      { kind: 'purged', blobs: [versionOf(1).blob] },
      inboxKey(2),
    ]);
    vault.run([needs(2)]);
    vault.run([needs(2)], PHONE);
    expect(vault.run([retire(1), fileAdd(1)])).toBe(1);
    vault.reload();
    expect([...vault.state.erased.keys()]).toEqual([file(1), versionOf(1).blob]);
    // A record that names the blob could only be sealed to a key of epoch 0 or 1, and those open nothing any more.
    expect(vault.run([retire(2), fileAdd(1)])).toBe(0);
    expect(vault.state.erased.size).toBe(0);
    vault.reload();
  });

  test('a blob that waits for the broker is not taken, even when no key lives that could name it', () => {
    const vault = new Vault();
    vault.run([fileAdd(1), purge(1), inboxKey(1), needs(1)]);
    vault.run([needs(1)], PHONE);
    expect(vault.run([retire(1), fileAdd(1)])).toBe(1);
    expect([...vault.state.unpurged]).toEqual([idOf('inbox', 0)]);
    expect(vault.state.hiddenFiles()).toMatchObject([{ blobs: [versionOf(1).blob] }]);
  });

  test('takes 16 bytes for each id in a snapshot', () => {
    const vault = new Vault();
    const sizeOf = (): number => encodeState(vault.state, { seq: 1, hash: HASH }).length;
    vault.run([fileAdd(0), purge(0), { kind: 'purged', blobs: [versionOf(0).blob] }]);
    const before = sizeOf();
    for (let number = 1; number <= 100; number++) {
      vault.run([fileAdd(number), purge(number), { kind: 'purged', blobs: [versionOf(number).blob] }]);
    }
    expect(sizeOf() - before).toBeLessThanOrEqual(100 * 2 * 16 + 8);
  });

  test('never belongs to anything again, whatever is folded', () => {
    fc.assert(
      fc.property(fc.array(purgingOperation, { maxLength: 150, size: 'max' }), (operations) => {
        const vault = new Vault();
        const gone = new Map<string, number>();
        for (const one of operations) {
          if (one.kind === 'purge') {
            for (const { blob } of vault.state.versionsOf(one.entry)) {
              gone.set(blob, vault.state.newestInboxKey?.epoch ?? 0);
            }
          }
          vault.run([one]);
          const blobs = new Set([...vault.state.index.byId.keys()].flatMap((id) => blobsOf(vault.state, id)));
          for (const [blob, epoch] of gone) {
            if (epoch < vault.state.oldestInboxEpoch) gone.delete(blob);
          }
          expect([...gone.keys()].filter((blob) => blobs.has(blob))).toEqual([]);
        }
        vault.reload();
      }),
      { seed: 41, numRuns: 300 },
    );
  });
});

const blobsOf = (state: FoldedVault, id: string): string[] => state.versionsOf(id).map(({ blob }) => blob);

describe('retiring inbox keys', () => {
  test('waits for every device that is enrolled, by what it said last', () => {
    const vault = new Vault();
    vault.run([inboxKey(1), inboxKey(2), inboxKey(3)]);
    expect(unneededBelow(vault.state)).toBe(0);
    vault.run([needs(3)]);
    expect(unneededBelow(vault.state)).toBe(0); // The phone has said nothing: it may hold anything.
    expect(vault.run([retire(1)])).toBe(1);
    vault.run([needs(1)], PHONE);
    expect(unneededBelow(vault.state)).toBe(1);
    vault.reload();
    expect(vault.run([retire(2), retire(1)])).toBe(1);
    vault.run([needs(3)], PHONE);
    vault.run([needs(undefined)]); // An older program on the laptop, which does not know what it needs.
    expect(unneededBelow(vault.state)).toBe(0);
    expect(vault.run([retire(2)])).toBe(1);
    vault.run([needs(2)]);
    expect(vault.run([retire(2)])).toBe(0);
    expect(vault.state.oldestInboxEpoch).toBe(2);
  });

  test('does not wait for a device that was revoked, and waits for a new one', () => {
    const vault = new Vault();
    vault.run([inboxKey(1), needs(1)]);
    vault.run([revoke(PHONE)], IDENTITY);
    expect(unneededBelow(vault.state)).toBe(1);
    vault.run([enrol(idOf('device', 3))], IDENTITY);
    expect(unneededBelow(vault.state)).toBe(0);
  });

  test('never takes the newest key, nor believes a device that can do without keys to come', () => {
    const vault = new Vault();
    vault.run([inboxKey(1)]);
    expect(vault.run([needs(2)])).toBe(1);
    expect(vault.run([needs(1)]) + vault.run([needs(1)], PHONE)).toBe(0);
    expect(vault.run([retire(2), retire(0), retire(1), retire(1)])).toBe(3);
    expect([0, 1, 2].map((epoch) => vault.state.inboxKey(epoch)?.epoch)).toEqual([undefined, 1, undefined]);
    expect(vault.state.newestInboxKey?.epoch).toBe(1);
  });

  test('leaves the keys’ envelopes to be erased, and their ids to nobody', () => {
    const vault = new Vault();
    vault.run([inboxKey(1), inboxKey(2), needs(2)]);
    vault.run([revoke(PHONE)], IDENTITY);
    vault.run([retire(2)]);
    const blobs = [idOf('inbox', 0), idOf('inbox', 1)];
    expect([...vault.state.unpurged]).toEqual(blobs);
    expect(vault.run([{ kind: 'purged', blobs }])).toBe(0);
    expect(vault.state.unpurged.size).toBe(0);
    const again: Operation = { ...fileAdd(1), version: { ...versionOf(1), blob: blobs[1]! } } as Operation;
    expect(vault.run([again])).toBe(1);
    vault.reload();
    expect(vault.run([again])).toBe(1);
    expect(vault.run([{ kind: 'purged', blobs }])).toBe(1);
  });

  test('is asked for when nothing needs them, neither a device nor what waits in the inbox', () => {
    const vault = new Vault();
    vault.run([inboxKey(1), inboxKey(2), inboxKey(3), needs(3)]);
    const toRetire = (left: number[]) => operationsToRetire(vault.state, unneededBelow(vault.state), left);
    expect(toRetire([])).toEqual([]);
    const before = unneededBelow(vault.state);
    vault.run([needs(2)], PHONE);
    // The inbox was listed before the phone said that it has given up all.
    expect(operationsToRetire(vault.state, before, [])).toEqual([]);
    expect(toRetire([])).toEqual([retire(2)]);
    expect(toRetire([3, 1, 2])).toEqual([retire(1)]);
    expect(toRetire([0])).toEqual([]);
    expect(vault.run(toRetire([3]))).toBe(0);
    expect(toRetire([3])).toEqual([]);
  });

  test('needs what a device has sealed, or else the newest key', () => {
    const vault = new Vault();
    expect(inboxEpochNeeded(vault.state, [])).toBe(0);
    vault.run([inboxKey(1), inboxKey(2)]);
    expect([[], [2], [2, 1, 2], [7]].map((epochs) => inboxEpochNeeded(vault.state, epochs))).toEqual([
      2, 2, 1, 2,
    ]);
    expect(vault.run([needs(inboxEpochNeeded(vault.state, [1]))])).toBe(0);
  });

  test('is a device’s to say, not the identity key’s', () => {
    const vault = new Vault();
    vault.run([inboxKey(1), needs(1)]);
    vault.run([revoke(PHONE)], IDENTITY);
    expect(vault.run([retire(1)], IDENTITY)).toBe(1);
  });
});

describe('a new inbox key', () => {
  test.each([
    [0, false],
    [DAY_MS - 1, false],
    [DAY_MS, true],
    [-DAY_MS + 1, false],
    [-DAY_MS, true],
  ])('is due %d ms after the last: %s', (laterMs, isDue) => {
    const vault = new Vault();
    expect(isInboxKeyDue(vault.state.newestInboxKey, NOW_MS + laterMs)).toBe(isDue);
    vault.run([inboxKey(1, NOW_MS + 5)]);
    vault.reload();
    expect(isInboxKeyDue(vault.state.newestInboxKey, NOW_MS + 5 + laterMs)).toBe(isDue);
  });

  test('is due when nobody knows how old the last is', () => {
    const vault = new Vault();
    vault.run([inboxKey(1)]);
    expect(isInboxKeyDue(vault.state.newestInboxKey, NOW_MS)).toBe(true);
  });
});

describe('adopting', () => {
  const captured = (number: number, blob = number) => ({
    file: file(number),
    folder: '',
    name: `file ${String(number)}.txt`,
    version: versionOf(blob),
  });

  test('adds what the vault does not have, once, however often it is asked', () => {
    const vault = new Vault();
    const both = [captured(1), captured(2), captured(1)];
    const operations = operationsToAdopt(vault.state, both);
    expect(operations).toEqual([fileAdd(1), fileAdd(2)]);
    expect(vault.run(operations)).toBe(0);
    expect(operationsToAdopt(vault.state, both)).toEqual([]);
    vault.reload();
    expect(operationsToAdopt(vault.state, both)).toEqual([]);
  });

  test('takes another content of a file that is there, or is about to be, for its newest version', () => {
    const vault = new Vault();
    const version = versionOf(8);
    const more = { kind: 'version-add', file: file(1), version } as const;
    expect(operationsToAdopt(vault.state, [captured(1), captured(1, 8)])).toEqual([fileAdd(1), more]);
    vault.run([fileAdd(1), { kind: 'trash', entry: file(1), atMs: 1 }]);
    expect(operationsToAdopt(vault.state, [captured(1, 8)])).toEqual([more]);
    expect(vault.run([more])).toBe(0);
    expect(operationsToAdopt(vault.state, [captured(1), captured(1, 8)])).toEqual([]);
  });

  test('brings nothing back that was purged, be it the same blob or another of the same file', () => {
    const vault = new Vault();
    vault.run([fileAdd(1), purge(1)]);
    expect(operationsToAdopt(vault.state, [captured(1), captured(1, 8), captured(3, 1)])).toEqual([]);
    vault.run([{ kind: 'purged', blobs: [versionOf(1).blob] }]);
    vault.reload();
    expect(operationsToAdopt(vault.state, [captured(1), captured(1, 8), captured(3, 1)])).toEqual([]);
    expect(operationsToAdopt(vault.state, [captured(2)])).toEqual([fileAdd(2)]);
  });

  describe('what was picked to be a new version', () => {
    const instead = file(9);
    const newer = { ...captured(1, 8), instead };
    const { version, name } = newer;

    test('is one of the file, or the file itself where that is not there yet', () => {
      const vault = new Vault();
      expect(operationsToAdopt(vault.state, [newer])).toEqual([
        { kind: 'file-add', file: file(1), folder: '', name, version },
      ]);
      vault.run([fileAdd(1)]);
      expect(operationsToAdopt(vault.state, [newer])).toEqual([
        { kind: 'version-add', file: file(1), version },
      ]);
    });

    test.each<[string, (vault: Vault) => void]>([
      ['was purged', (vault) => vault.run([purge(1)])],
      ['was erased', (vault) => vault.run([purge(1), { kind: 'purged', blobs: [versionOf(1).blob] }])],
      ['is in the trash', (vault) => vault.run([{ kind: 'trash', entry: file(1), atMs: 1 }])],
    ])('becomes a file of its own, once, where the file %s', (_case, befall) => {
      const vault = new Vault();
      vault.run([fileAdd(1)]);
      befall(vault);
      const operations = operationsToAdopt(vault.state, [newer, newer]);
      expect(operations).toEqual([{ kind: 'file-add', file: instead, folder: '', name, version }]);
      expect(vault.run(operations)).toBe(0);
      expect(operationsToAdopt(vault.state, [newer])).toEqual([]);
    });
  });

  test('takes what was for a folder in the trash, or below one, into the top folder', () => {
    const vault = new Vault();
    const [outer, inner] = [file(20), file(21)];
    vault.run([
      { kind: 'folder-add', folder: outer, parent: '', name: 'outer' },
      { kind: 'folder-add', folder: inner, parent: outer, name: 'inner' },
    ]);
    const inside = { ...captured(1), folder: inner };
    expect(operationsToAdopt(vault.state, [inside])).toMatchObject([{ folder: inner }]);
    vault.run([{ kind: 'trash', entry: outer, atMs: 1 }]);
    expect(operationsToAdopt(vault.state, [inside])).toMatchObject([{ kind: 'file-add', folder: '' }]);
  });

  test('whatever it gives, the fold takes, and then nothing is left to do', () => {
    const pick = fc
      .tuple(fc.nat(7), fc.nat(20), fc.option(fc.nat(30), { nil: undefined }))
      .map(([number, blob, instead]) => ({
        ...captured(number, blob),
        ...(instead !== undefined && { instead: file(instead + 100) }),
      }));
    fc.assert(
      fc.property(
        fc.array(entryOperation, { maxLength: 60, size: 'max' }),
        fc.array(pick, { maxLength: 8, size: 'max' }),
        (before, picks) => {
          const vault = new Vault();
          vault.run(before);
          expect(vault.run(operationsToAdopt(vault.state, picks))).toBe(0);
          expect(operationsToAdopt(vault.state, picks)).toEqual([]);
        },
      ),
      { seed: 43, numRuns: 400 },
    );
  });
});
