import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applySegment, fold, type FoldableSegment } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { list } from '../../src/lib/journal/state/listing.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { isSound } from '../../src/lib/journal/state/state-check.ts';
import { decodeState, encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import { entryOperation, purgingOperation } from './operation-arbitrary.ts';
import { fileAdd, folderAdd, idOf, NOW_MS, versionOf } from './world.ts';

const HASH = new Uint8Array(32).fill(5);
const HEAD = { seq: 9, hash: HASH };
const DEVICE = idOf('device', 1);

function segment(
  operations: readonly Operation[],
  seq = 1,
  writer: string | undefined = DEVICE,
): FoldableSegment {
  return { seq, prevHash: HASH, writer, operations, malformed: 0 };
}

const folded = (...operations: Operation[]): FoldedVault => fold([segment(operations)]);
const file = (number: number): string => idOf('file', number);
const folder = (number: number): string => idOf('folder', number);
const nameOf = (state: FoldedVault, id: string): string | undefined => state.entry(id)?.name;

const GENESIS: Operation = {
  kind: 'genesis',
  vault: 'v',
  account: idOf('account', 1),
  identityPublicKey: HASH,
  inbox: { blob: idOf('inbox', 0), publicKey: HASH, epoch: 0 },
  atMs: NOW_MS,
};
const ENROLMENT: Operation = {
  kind: 'device-enrol',
  device: DEVICE,
  publicKey: HASH,
  agreementKey: HASH,
  name: 'Phone',
  certificate: new Uint8Array(64),
};
/** A vault of one device; the others of these tests are none that could be encoded. */
const BEGINNING: FoldableSegment = { ...segment([GENESIS, ENROLMENT], 0), writer: undefined };

const histories = fc.array(fc.array(purgingOperation, { maxLength: 40, size: 'max' }), {
  maxLength: 4,
  size: 'max',
});

// What that state is, tests/reader/difference.test.ts compares with a reader of its own.
test('folds to the same bytes through any snapshot', () => {
  fc.assert(
    fc.property(histories, (batches) => {
      const segments = batches.map((operations, index) => segment(operations, index + 1));
      const state = fold([BEGINNING, ...segments]);
      let reloaded = fold([BEGINNING]);
      for (const part of segments) {
        reloaded = decodeState(encodeState(reloaded, HEAD)).state;
        expect(isSound(reloaded)).toBe(true);
        applySegment(reloaded, part);
      }
      expect(encodeState(reloaded, HEAD)).toEqual(encodeState(state, HEAD));
    }),
    { seed: 23, numRuns: 600 },
  );
});

test('every path ends in the top folder and every name is taken once, whatever is folded', () => {
  fc.assert(
    fc.property(fc.array(entryOperation, { maxLength: 120 }), (operations) => {
      const state = folded(...operations);
      const places: string[] = [];
      for (const id of state.index.byId.keys()) {
        const entry = state.entry(id);
        if (!entry) continue; // It is hidden.
        if (entry.trashedAtMs === undefined) places.push(`${entry.folder}/${entry.name}`);
        let steps = 0;
        for (let above = entry.folder; above !== ''; above = state.entry(above)!.folder) {
          expect(steps++).toBeLessThan(20);
        }
      }
      expect(new Set(places).size).toBe(places.length);
      const listed = list(state, { place: { kind: 'all' }, sortBy: 'name', descending: false }).rows(0, 100);
      for (const { entry, isFolder } of listed) {
        expect(state.newestVersion(entry) === undefined).toBe(isFolder);
      }
    }),
    { seed: 29, numRuns: 400 },
  );
});

test('gives the same name twice in a folder a number before the extension', () => {
  const state = folded(
    fileAdd(1, 'a.txt'),
    fileAdd(2, 'a.txt'),
    fileAdd(3, 'A.txt'),
    fileAdd(4, 'e\u0301'),
    fileAdd(5, '\u00e9'),
  );
  expect([1, 2, 3].map((number) => nameOf(state, file(number)))).toEqual(['a.txt', 'a (2).txt', 'A.txt']);
  expect(nameOf(state, file(5))).not.toBe(nameOf(state, file(4)));
});

test('refuses to move a folder below itself, directly or through another', () => {
  const state = folded(
    folderAdd(1, 'a'),
    folderAdd(2, 'b', folder(1)),
    { kind: 'move', entry: folder(1), folder: folder(1) },
    { kind: 'move', entry: folder(1), folder: folder(2) },
  );
  expect(state.entry(folder(1))?.folder).toBe('');
  expect(state.skippedOperations).toBe(2);
});

test('two devices that move two folders into each other end with one inside the other', () => {
  const state = folded(
    folderAdd(1, 'a'),
    folderAdd(2, 'b'),
    { kind: 'move', entry: folder(1), folder: folder(2) },
    { kind: 'move', entry: folder(2), folder: folder(1) },
  );
  expect([state.entry(folder(1))?.folder, state.entry(folder(2))?.folder]).toEqual([folder(2), '']);
});

test('keeps a file whose folder went away meanwhile, in the top folder', () => {
  const state = folded(
    folderAdd(1, 'a'),
    fileAdd(1, 'x', folder(1)),
    fileAdd(2, 'x'),
    { kind: 'purge', entry: folder(1) },
    fileAdd(3, 'x', folder(1)),
  );
  expect([1, 2, 3].map((number) => state.entry(file(number))?.folder)).toEqual(['', '', '']);
  expect([1, 2, 3].map((number) => nameOf(state, file(number)))).toEqual(['x (2)', 'x', 'x (3)']);
});

test('what is in the trash leaves its name, and takes another when it comes back', () => {
  const state = folded(fileAdd(1, 'x'), { kind: 'trash', entry: file(1), atMs: NOW_MS }, fileAdd(2, 'x'), {
    kind: 'restore',
    entry: file(1),
  });
  expect([nameOf(state, file(1)), nameOf(state, file(2))]).toEqual(['x (2)', 'x']);
});

test('an earlier version is the newest again, with all the others behind it', () => {
  const blobs = (state: FoldedVault) => state.versionsOf(file(1)).map(({ blob }) => blob);
  const [first, second, third] = [1, 8, 9].map((number) => versionOf(number).blob) as [
    string,
    string,
    string,
  ];
  const restore = (blob: string): Operation => ({ kind: 'version-restore', file: file(1), blob });
  const state = folded(
    fileAdd(1),
    { kind: 'version-add', file: file(1), version: versionOf(8) },
    { kind: 'version-add', file: file(1), version: versionOf(9) },
    restore(first),
  );
  expect(blobs(state)).toEqual([first, third, second]);
  applySegment(state, segment([restore(second)], 2));
  expect(blobs(state)).toEqual([second, first, third]);
  expect(state.newestVersion(file(1))).toEqual(versionOf(8));
  applySegment(state, segment([{ kind: 'purged', blobs: [third] }, restore(third), restore(second)], 3));
  expect([blobs(state), state.skippedOperations]).toEqual([[second, first, third], 2]);
});

test('keeps the blobs of a purged file until they are known to be erased', () => {
  const version = versionOf(9);
  const state = folded(
    fileAdd(1),
    { kind: 'version-add', file: file(1), version },
    { kind: 'purge', entry: file(1) },
  );
  expect(state.entry(file(1))).toBeUndefined();
  expect(state.hiddenFiles()).toMatchObject([
    { name: 'file 1.txt', hiddenBy: DEVICE, blobs: [version.blob, versionOf(1).blob] },
  ]);
  applySegment(state, segment([{ kind: 'purged', blobs: [version.blob, idOf('blob', 77)] }], 2));
  expect(state.hiddenFiles()).toMatchObject([{ name: 'file 1.txt', blobs: [versionOf(1).blob] }]);
  applySegment(state, segment([{ kind: 'purged', blobs: [versionOf(1).blob] }], 3));
  expect(state.hiddenFiles()).toEqual([]);
  expect(state.skippedOperations).toBe(0);
});

test('a hidden file leaves its name, keeps its id and blobs, and is there for no operation', () => {
  const state = folded(fileAdd(1, 'x'), { kind: 'purge', entry: file(1) }, fileAdd(2, 'x'));
  expect(nameOf(state, file(2))).toBe('x');
  const gone: Operation[] = [
    fileAdd(1, 'y'),
    { kind: 'version-add', file: file(1), version: versionOf(9) },
    { kind: 'rename', entry: file(1), name: 'y' },
    { kind: 'move', entry: file(1), folder: '' },
    { kind: 'trash', entry: file(1), atMs: NOW_MS },
    { kind: 'restore', entry: file(1) },
    { kind: 'tag', entry: file(1), tags: ['red'] },
    { kind: 'purge', entry: file(1) },
  ];
  applySegment(state, segment(gone, 2));
  expect(state.skippedOperations).toBe(gone.length);
  expect(state.hiddenFiles()).toMatchObject([{ name: 'x', blobs: [versionOf(1).blob] }]);
});

test('a file that is there although its content was erased is said to be gone', () => {
  const state = folded(fileAdd(1), { kind: 'purged', blobs: [versionOf(1).blob] });
  expect([state.isGone(file(1)), nameOf(state, file(1))]).toEqual([true, 'file 1.txt']);
  applySegment(state, segment([{ kind: 'purge', entry: file(1) }], 2));
  expect([state.hiddenFiles(), state.erased.has(file(1)), state.gone.size]).toEqual([[], true, 0]);
});

test('never lets a second version, file or inbox key take a blob, so that purging one erases no other', () => {
  const other = { ...versionOf(2), blob: versionOf(1).blob };
  const state = folded(
    fileAdd(1),
    { kind: 'file-add', file: file(2), folder: '', name: 'b', version: other },
    fileAdd(3),
    { kind: 'version-add', file: file(3), version: other },
  );
  expect(state.skippedOperations).toBe(2);
  expect(state.versionsOf(file(3))).toHaveLength(1);
});

test('takes genesis and keyrings from the identity key alone, and nothing else from it', () => {
  const keyring: Operation = { kind: 'keyring', version: 1, hash: HASH };
  const byDevice = fold([segment([keyring])]);
  expect([byDevice.keyring, byDevice.skippedOperations]).toEqual([undefined, 1]);
  const byIdentity = fold([{ ...segment([keyring, fileAdd(1)]), writer: undefined }]);
  expect(byIdentity.keyring).toEqual({ version: 1, hash: HASH });
  expect(byIdentity.skippedOperations).toBe(1);
  applySegment(byIdentity, { ...segment([keyring], 2), writer: undefined });
  expect(byIdentity.skippedOperations).toBe(2);
});

test('a revoked device never comes back under its old certificate', () => {
  const enrol: Operation = {
    kind: 'device-enrol',
    device: DEVICE,
    publicKey: HASH,
    agreementKey: HASH,
    name: 'Phone',
    certificate: new Uint8Array(64),
  };
  const byIdentity = (operations: Operation[], seq: number) => ({
    ...segment(operations, seq),
    writer: undefined,
  });
  const revoke: Operation = { kind: 'device-revoke', device: DEVICE, since: 2 };
  const state = fold([byIdentity([enrol], 1), byIdentity([revoke, enrol], 2)]);
  expect(state.trustedDevice(DEVICE)).toBeUndefined();
  expect(state.devices.get(DEVICE)).toMatchObject({ enrolledSeq: 1, revoked: { seq: 2, since: 2 } });
});

test('takes a heartbeat only of what its writer can have seen', () => {
  const beat = (seq: number, hash = HASH): Operation => ({ kind: 'heartbeat', seq, hash, atMs: NOW_MS });
  expect(fold([segment([beat(4)], 5)]).heartbeats.get(DEVICE)?.seq).toBe(4);
  expect(fold([segment([beat(5)], 5)]).heartbeats.size).toBe(0);
  expect(fold([segment([beat(4, new Uint8Array(32))], 5)]).heartbeats.size).toBe(0);
});

test('gives 3,000 files of one name a name each', () => {
  const state = folded(...Array.from({ length: 3000 }, (_, number) => fileAdd(number, 'image.png')));
  expect(new Set(state.entries.names).size).toBe(3000);
});
