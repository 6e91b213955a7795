import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applySegment, fold } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { adoptNameOrder, list, nameOrder, type ListQuery } from '../../src/lib/journal/state/listing.ts';
import { copyOf } from '../../src/lib/journal/state/copy.ts';
import { encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import { FAVOURITE, type Operation } from '../../src/lib/journal/entries/operations.ts';
import { entryOperation } from './operation-arbitrary.ts';
import { fileAdd, folderAdd, idOf, versionOf } from './world.ts';

const HASH = new Uint8Array(32);
const HEAD = { seq: 1, hash: HASH };
const step = (state: FoldedVault, ...operations: Operation[]): void => {
  applySegment(state, { seq: 1, prevHash: HASH, writer: idOf('device', 1), operations, malformed: 0 });
};
const BY_NAME: ListQuery = { place: { kind: 'all' }, sortBy: 'name', descending: false };
const names = (state: FoldedVault, query: Partial<ListQuery> = {}): string[] =>
  list(state, { ...BY_NAME, ...query })
    .rows(0, 1000)
    .map(({ name }) => name);

function sample(): FoldedVault {
  const state = fold([]);
  step(
    state,
    folderAdd(1, 'folder'),
    folderAdd(2, 'below', idOf('folder', 1)),
    fileAdd(30, 'img10.png'),
    fileAdd(10, 'img9.png', idOf('folder', 2)),
    fileAdd(20, 'Ärger.txt', idOf('folder', 1)),
    fileAdd(40, 'zebra'),
  );
  return state;
}

test('lists folders before files, by name, size, time and kind, either way round', () => {
  const state = sample();
  const files = ['\u00c4rger.txt', 'img9.png', 'img10.png', 'zebra'];
  expect(names(state)).toEqual(['below', 'folder', ...files]);
  expect(names(state, { descending: true })).toEqual(['folder', 'below', ...files.toReversed()]);
  const bySize = ['below', 'folder', 'img9.png', '\u00c4rger.txt', 'img10.png', 'zebra'];
  expect(names(state, { sortBy: 'size' })).toEqual(bySize);
  expect(names(state, { sortBy: 'kind' })).toEqual(names(state)); // They are all of one kind: then by name.
  expect(names(state, { sortBy: 'added', descending: true })).toEqual([
    'folder',
    'below',
    'zebra',
    'img10.png',
    '\u00c4rger.txt',
    'img9.png',
  ]);
});

test('sorts by the kind that a media type says', () => {
  const state = fold([]);
  const typed = (number: number, name: string, mediaType: string): Operation => ({
    ...{ kind: 'file-add', file: idOf('file', number), folder: '', name },
    version: { ...versionOf(number), mediaType },
  });
  step(state, typed(1, 'a', 'video/mp4'), typed(2, 'b', 'image/png'), typed(3, 'c', 'image/png'));
  expect(names(state, { sortBy: 'kind' })).toEqual(['b', 'c', 'a']);
});

test('gives the rows that are asked for', () => {
  const listing = list(sample(), BY_NAME);
  expect(listing.total).toBe(6);
  expect(listing.rows(3, 2).map(({ name }) => name)).toEqual(['img9.png', 'img10.png']);
  expect(listing.rows(5, 50)).toEqual([
    {
      entry: idOf('file', 40),
      isFolder: false,
      folder: '',
      name: 'zebra',
      sizeBytes: versionOf(40).sizeBytes,
      mediaType: 'text/plain',
      addedAtMs: versionOf(40).addedAtMs,
      isGone: false,
    },
  ]);
  expect(listing.rows(6, 50)).toEqual([]);
});

test('lists one folder alone', () => {
  const state = sample();
  const within = (folder: string) => names(state, { place: { kind: 'folder', folder } });
  expect(within(idOf('folder', 1))).toEqual(['below', '\u00c4rger.txt']);
  expect(within('')).toEqual(['folder', 'img10.png', 'zebra']);
  expect(within(idOf('folder', 9))).toEqual([]);
});

test('lists favourites, wherever they are, but in the trash', () => {
  const state = sample();
  const favourites = () => names(state, { place: { kind: 'favourites' } });
  const favour = (entry: string): Operation => ({ kind: 'tag', entry, tags: ['tax', FAVOURITE] });
  step(state, favour(idOf('file', 10)), favour(idOf('folder', 1)), favour(idOf('file', 40)));
  step(state, { kind: 'tag', entry: idOf('file', 30), tags: ['favourite'] });
  expect(favourites()).toEqual(['folder', 'img9.png', 'zebra']);
  step(state, { kind: 'trash', entry: idOf('folder', 1), atMs: 1 });
  expect(favourites()).toEqual(['zebra']);
});

test('leaves out what is in the trash, itself or by a folder above it, and lists in the trash what is there itself', () => {
  const state = sample();
  const trashed = (query: Partial<ListQuery> = {}) => names(state, { place: { kind: 'trash' }, ...query });
  step(
    state,
    { kind: 'trash', entry: idOf('folder', 1), atMs: 3 },
    { kind: 'trash', entry: idOf('file', 40), atMs: 1 },
    { kind: 'trash', entry: idOf('file', 10), atMs: 2 },
  );
  expect(names(state)).toEqual(['img10.png']);
  expect(trashed()).toEqual(['folder', 'img9.png', 'zebra']);
  expect(trashed({ sortBy: 'added', descending: true })).toEqual(['folder', 'img9.png', 'zebra']);
  expect(trashed({ sortBy: 'added' })).toEqual(['folder', 'zebra', 'img9.png']);
  step(state, { kind: 'purge', entry: idOf('file', 40) });
  step(state, { kind: 'restore', entry: idOf('folder', 1) });
  expect(trashed()).toEqual(['img9.png']);
  expect(names(state)).toEqual(['below', 'folder', '\u00c4rger.txt', 'img10.png']);
});

test('of a copy is that of a state that was folded so, and leaves the state that it was copied from alone', () => {
  fc.assert(
    fc.property(
      fc.array(entryOperation, { maxLength: 20 }),
      fc.array(entryOperation, { maxLength: 8 }),
      (before, after) => {
        const state = fold([]);
        step(state, ...before);
        const rows = list(state, BY_NAME).rows(0, 99);
        const encoded = encodeState(state, HEAD);
        const copy = copyOf(state);
        step(copy, ...after);
        const fresh = fold([]);
        step(fresh, ...before);
        step(fresh, ...after);
        expect(encodeState(copy, HEAD)).toEqual(encodeState(fresh, HEAD));
        expect(list(copy, BY_NAME).rows(0, 99)).toEqual(list(fresh, BY_NAME).rows(0, 99));
        expect(encodeState(state, HEAD)).toEqual(encoded);
        expect(list(state, BY_NAME).rows(0, 99)).toEqual(rows);
      },
    ),
    { seed: 17, numRuns: 200 },
  );
});

test('an order that is mended is the one that a new sort gives', () => {
  const sorts = ['name', 'size', 'added', 'kind'] as const;
  fc.assert(
    fc.property(fc.array(fc.array(entryOperation, { maxLength: 12 }), { maxLength: 8 }), (batches) => {
      const state = fold([]);
      const all: Operation[] = [];
      for (const batch of batches) {
        step(state, ...batch);
        all.push(...batch);
        const fresh = fold([]);
        step(fresh, ...all);
        for (const sortBy of sorts) {
          const query = { ...BY_NAME, sortBy };
          expect(list(state, query).rows(0, 99)).toEqual(list(fresh, query).rows(0, 99));
        }
      }
    }),
    { seed: 31, numRuns: 100 },
  );
});

test('takes over an order that was kept, and mends it with the next change', () => {
  const state = sample();
  const order = [...nameOrder(state)]; // Although it was not listed yet.
  expect(order).toEqual(list(state, BY_NAME).indices);
  const again = sample();
  adoptNameOrder(again, order);
  expect(names(again)).toEqual(names(state));
  step(again, fileAdd(50, 'b'));
  expect(names(again)).toEqual(['below', 'folder', 'Ärger.txt', 'b', 'img9.png', 'img10.png', 'zebra']);
});
