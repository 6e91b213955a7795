import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applySegment, fold } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { adoptNameOrder, list, nameOrder, type ListQuery } from '../../src/lib/journal/state/listing.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { entryOperation } from './operation-arbitrary.ts';
import { fileAdd, folderAdd, idOf, versionOf } from './world.ts';

const HASH = new Uint8Array(32);
const step = (state: FoldedVault, ...operations: Operation[]): void => {
  applySegment(state, { seq: 1, prevHash: HASH, writer: idOf('device', 1), operations, malformed: 0 });
};
const BY_NAME: ListQuery = { filter: '', sortBy: 'name', descending: false };
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

test('lists files by name, size and time, either way round', () => {
  const state = sample();
  expect(names(state)).toEqual(['Ärger.txt', 'img9.png', 'img10.png', 'zebra']);
  expect(names(state, { sortBy: 'size' })).toEqual(['img9.png', 'Ärger.txt', 'img10.png', 'zebra']);
  expect(names(state, { sortBy: 'added', descending: true })).toEqual([
    'zebra',
    'img10.png',
    'Ärger.txt',
    'img9.png',
  ]);
});

test('gives the rows that are asked for', () => {
  const listing = list(sample(), BY_NAME);
  expect([listing.total, listing.files]).toEqual([4, 4]);
  expect(listing.rows(1, 2).map(({ name }) => name)).toEqual(['img9.png', 'img10.png']);
  expect(listing.rows(3, 50)).toEqual([
    {
      file: idOf('file', 40),
      folder: '',
      name: 'zebra',
      sizeBytes: versionOf(40).sizeBytes,
      mediaType: 'text/plain',
      addedAtMs: versionOf(40).addedAtMs,
      isGone: false,
    },
  ]);
  expect(listing.rows(4, 50)).toEqual([]);
});

test.each([
  ['IMG', ['img9.png', 'img10.png']],
  ['arger', ['Ärger.txt']],
  ['ÄRG', ['Ärger.txt']],
  [' zeb ', ['zebra']],
  ['.', ['Ärger.txt', 'img9.png', 'img10.png']],
  ['nothing', []],
])('filters by %j', (filter, expected) => {
  const state = sample();
  expect(names(state, { filter })).toEqual(expected);
  expect(list(state, { ...BY_NAME, filter }).files).toBe(4);
});

test('lists one folder alone', () => {
  const state = sample();
  expect(names(state, { folder: idOf('folder', 1) })).toEqual(['Ärger.txt']);
  expect(names(state, { folder: '' })).toEqual(['img10.png', 'zebra']);
  expect(names(state, { folder: idOf('folder', 9) })).toEqual([]);
});

test('leaves out what is in the trash, itself or by a folder above it', () => {
  const state = sample();
  step(
    state,
    { kind: 'trash', entry: idOf('folder', 1), atMs: 1 },
    { kind: 'trash', entry: idOf('file', 40), atMs: 1 },
  );
  expect(names(state)).toEqual(['img10.png']);
  step(state, { kind: 'restore', entry: idOf('folder', 1) });
  expect(names(state)).toEqual(['Ärger.txt', 'img9.png', 'img10.png']);
});

test('an order that is mended is the one that a new sort gives', () => {
  const sorts = ['name', 'size', 'added'] as const;
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
  expect(names(again)).toEqual(['Ärger.txt', 'b', 'img9.png', 'img10.png', 'zebra']);
});
