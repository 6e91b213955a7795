import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applySegment, fold } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import type { Operation, Version } from '../../src/lib/journal/entries/operations.ts';
import { ROOT } from '../../src/lib/journal/entries/operations.ts';
import { listPending } from '../../src/lib/drive/pending-listing.ts';
import { rebase, type Change } from '../../src/lib/drive/change.ts';

const NO_HASH = new Uint8Array(32);
const idOf = (file: number) => `f${String(file)}`.padEnd(22, '_');

function version(file: number): Version {
  return {
    blob: `b${String(file)}`.padEnd(22, '_'),
    epoch: 0,
    sizeBytes: (file * 7) % 5,
    sealedBytes: 200,
    partBytes: 200,
    digest: 'x',
    mediaType: 'text/plain',
    modifiedAtMs: 0,
    addedAtMs: 1_000 + ((file * 3) % 4),
  };
}

function vaultOf(names: readonly string[]): FoldedVault {
  const operations = names.map<Operation>((name, file) => ({
    kind: 'file-add',
    file: idOf(file),
    folder: ROOT,
    name,
    version: version(file),
  }));
  return fold([{ seq: 1, prevHash: NO_HASH, writer: 'device', operations, malformed: 0 }]);
}

const query = { filter: '', sortBy: 'name', descending: false } as const;
const namesOf = (listing: ReturnType<typeof listPending>) => listing.rows(0, 100).map(({ name }) => name);

describe('a list with names that are not in the journal yet', () => {
  test('shows each at its new place, marked, and leaves the state alone', () => {
    const state = vaultOf(['a.txt', 'b.txt', 'c.txt', 'd.txt']);
    const listing = listPending(state, query, new Map([[idOf(0), 'cc.txt']]));
    expect(listing.rows(0, 9).map(({ name, isPending }) => [name, isPending])).toEqual([
      ['b.txt', false],
      ['c.txt', false],
      ['cc.txt', true],
      ['d.txt', false],
    ]);
    expect(listing.rows(2, 1)).toMatchObject([{ file: idOf(0), name: 'cc.txt' }]);
    expect([0, 1, 2, 3, 4].map((file) => listing.indexOf(idOf(file)))).toEqual([2, 0, 1, 3, undefined]);
    expect(state.entry(idOf(0))?.name).toBe('a.txt');
    expect(namesOf(listPending(state, query, new Map()))).toEqual(['a.txt', 'b.txt', 'c.txt', 'd.txt']);
  });

  test('is filtered by the new name, and counts so', () => {
    const state = vaultOf(['Ärger.txt', 'b.txt']);
    const names = new Map([[idOf(0), 'freude.txt']]);
    const filtered = (filter: string) => listPending(state, { ...query, filter }, names);
    expect(namesOf(filtered('ARGER'))).toEqual([]);
    expect(filtered('ARGER')).toMatchObject({ total: 0, files: 2 });
    expect(namesOf(filtered('FREU'))).toEqual(['freude.txt']);
    expect(filtered('FREU').total).toBe(1);
  });

  test('passes over what is not listed', () => {
    const state = vaultOf(['a.txt']);
    expect(namesOf(listPending(state, query, new Map([['gone'.padEnd(22, '_'), 'x']])))).toEqual(['a.txt']);
  });

  test('is in the order that the journal will give', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'B', 'ä', '1', '10', '2', ' '),
      minLength: 1,
      maxLength: 4,
    });
    const names = fc.uniqueArray(name, {
      minLength: 4,
      maxLength: 24,
      selector: (text) => text.normalize('NFC'),
    });
    fc.assert(
      fc.property(
        names,
        fc.constantFrom('name' as const, 'size' as const, 'added' as const),
        fc.boolean(),
        fc.constantFrom('', 'a', '1'),
        (all, sortBy, descending, filter) => {
          // Half of the names are taken at first, the others are given to some of the files: none is taken twice.
          const half = Math.ceil(all.length / 2);
          const pending = new Map(all.slice(half).map((renamed, file) => [idOf(file), renamed]));
          const shown = listPending(vaultOf(all.slice(0, half)), { filter, sortBy, descending }, pending);
          const folded = vaultOf(all.slice(0, half));
          const operations = [...pending].map<Operation>(([entry, to]) => ({
            kind: 'rename',
            entry,
            name: to,
          }));
          applySegment(folded, { seq: 2, prevHash: NO_HASH, writer: 'device', operations, malformed: 0 });
          const expected = listPending(folded, { filter, sortBy, descending }, new Map());
          expect(shown.rows(0, 100).map(({ file, name: of }) => [file, of])).toEqual(
            expected.rows(0, 100).map(({ file, name: of }) => [file, of]),
          );
          expect(shown.total).toBe(expected.total);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe('changes, rebased on what others did', () => {
  const rename = (file: number, was: string, name: string): Change => ({
    kind: 'rename',
    entry: idOf(file),
    was,
    name,
  });

  test.each<[string, Change[], string[], string[]]>([
    ['nobody else did anything', [rename(0, 'a', 'x')], ['x'], []],
    ['it was renamed elsewhere', [rename(0, 'older', 'x')], [], ['head_changed']],
    ['it has the name already', [rename(0, 'older', 'a')], [], []],
    ['it was deleted for good', [rename(9, 'gone', 'x')], [], ['not_found']],
    ['two of one file', [rename(0, 'a', 'x'), rename(0, 'x', 'y')], ['x', 'y'], []],
    ['there and back', [rename(0, 'a', 'x'), rename(0, 'x', 'a')], ['x', 'a'], []],
    [
      'two of a file that was renamed elsewhere',
      [rename(0, 'older', 'x'), rename(0, 'x', 'y')],
      [],
      ['head_changed', 'head_changed'],
    ],
    ['one is given up, the other is not', [rename(9, 'g', 'x'), rename(1, 'b', 'y')], ['y'], ['not_found']],
    [
      'two tabs, neither of which had seen the other',
      [rename(0, 'a', 'x'), rename(0, 'a', 'y')],
      ['x', 'y'],
      [],
    ],
  ])('%s', (_name, changes, written, reasons) => {
    const { operations, dropped } = rebase(vaultOf(['a', 'b']), changes, () => false);
    expect(operations.map((operation) => operation.kind === 'rename' && operation.name)).toEqual(written);
    expect(dropped.map(({ reason }) => reason)).toEqual(reasons);
  });
});
