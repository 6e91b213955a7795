import { describe, expect, test } from 'vitest';
import { foldersIn, look, trashedBefore } from '../../src/lib/drive/looking.ts';
import { FAVOURITE, type Operation } from '../../src/lib/journal/entries/operations.ts';
import { applySegment, fold } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import type { ViewQuery } from '../../src/lib/protocol/drive.ts';
import { folderAdd, idOf, versionOf } from '../journal/world.ts';

const folder = (number: number) => idOf('folder', number);
const TOP: ViewQuery = {
  ...{ place: { kind: 'folder', folder: '' }, search: '' },
  ...{ sortBy: 'name', descending: false },
};

function stateOf(...operations: Operation[]): FoldedVault {
  const state = fold([]);
  applySegment(state, { seq: 1, prevHash: new Uint8Array(32), writer: 'd', operations, malformed: 0 });
  return state;
}

const add = (number: number, name: string, parent = '', more: object = {}): Operation => ({
  ...{ kind: 'file-add', file: idOf('file', number), folder: parent, name },
  version: { ...versionOf(number), ...more },
});

const sample = (): FoldedVault =>
  stateOf(
    folderAdd(1, 'Norway'),
    folderAdd(2, 'Cabin', folder(1)),
    folderAdd(3, 'Tax'),
    add(1, 'beach.jpg', folder(1), { mediaType: 'image/jpeg', addedAtMs: 100, sizeBytes: 3_000_000 }),
    add(2, 'roof.heic', folder(2), { mediaType: 'application/octet-stream', addedAtMs: 200 }),
    add(3, 'tax return 2026.pdf', folder(3), { mediaType: 'application/pdf', addedAtMs: 300 }),
    add(4, 'r\u00e9sum\u00e9.docx', '', { mediaType: '', addedAtMs: 400 }),
    add(5, '\u0441\u043f\u0438\u0441\u043e\u043a \u043f\u043e\u043a\u0443\u043f\u043e\u043a.txt', '', {
      addedAtMs: 500,
    }),
    add(6, 'old tax.pdf'),
    { kind: 'trash', entry: idOf('file', 6), atMs: 9 },
    { kind: 'tag', entry: idOf('file', 4), tags: ['applications', FAVOURITE] },
  );

const found = (query: Partial<ViewQuery>, state = sample()): string[] =>
  look(state, { ...TOP, ...query }).indices.map((index) => state.entries.names[index] ?? '');

describe('a search', () => {
  test.each<[string, string[]]>([
    ['BEACH', ['beach.jpg']],
    ['baech', ['beach.jpg']], // Two letters in the wrong order,
    ['beahc.jpg', ['beach.jpg']],
    ['retrn', ['tax return 2026.pdf']], // one missing,
    ['returrn', ['tax return 2026.pdf']], // one too many.
    ['resume', ['r\u00e9sum\u00e9.docx']],
    [
      '\u041f\u041e\u041a\u0423\u041f\u041e\u041a',
      ['\u0441\u043f\u0438\u0441\u043e\u043a \u043f\u043e\u043a\u0443\u043f\u043e\u043a.txt'],
    ],
    ['2026 tax', ['tax return 2026.pdf']], // In any order.
    ['norway roof', ['roof.heic']], // A path,
    ['applications', ['r\u00e9sum\u00e9.docx']], // a tag,
    ['\u2605', []], // and no mark of ours.
    ['xyzzy', []],
  ])('for %j', (search, names) => {
    expect(found({ search })).toEqual(names);
  });

  test('puts what has all of it in its name first, and finds folders too', () => {
    expect(found({ search: 'tax' })).toEqual(['Tax', 'tax return 2026.pdf']);
    expect(found({ search: 'norway' }).slice(0, 1)).toEqual(['Norway']);
    expect(found({ search: 'norway' })).toContain('roof.heic');
  });

  test('is of all the drive but the trash, of the trash, or of a folder and what is below it', () => {
    expect(found({ search: 'tax', place: { kind: 'trash' } })).toEqual(['old tax.pdf']);
    expect(found({ search: 'roof', within: folder(1) })).toEqual(['roof.heic']);
    expect(found({ search: 'roof', within: folder(3) })).toEqual([]);
    expect(found({ search: 'roof', within: folder(9) })).toEqual([]);
  });

  test('leaves in what is of a kind, a time and a size', () => {
    const search = 'a';
    expect(found({ search, filter: { kind: 'image' } })).toEqual(['beach.jpg', 'roof.heic']);
    expect(found({ search: 'r', filter: { kind: 'document' } })).toEqual([
      'r\u00e9sum\u00e9.docx',
      'tax return 2026.pdf',
    ]);
    expect(found({ search: 'tax', filter: { sinceMs: 301 } })).toEqual([]);
    expect(found({ search: 'tax', filter: { sinceMs: 300 } })).toEqual(['tax return 2026.pdf']);
    expect(found({ search, filter: { minBytes: 1_000_000 } })).toEqual(['beach.jpg']);
  });

  test('says where each is that it finds', () => {
    expect(look(sample(), { ...TOP, search: 'roof' }).isMixed).toBe(true);
    expect(look(sample(), TOP).isMixed).toBe(false);
    expect(look(sample(), { ...TOP, place: { kind: 'favourites' } }).isMixed).toBe(true);
  });
});

test('the folders in a folder come by name, each with whether there are more in it', () => {
  const state = sample();
  expect(foldersIn(state, '')).toEqual([
    { folder: folder(1), name: 'Norway', hasFolders: true },
    { folder: folder(3), name: 'Tax', hasFolders: false },
  ]);
  expect(foldersIn(state, folder(1)).map(({ name }) => name)).toEqual(['Cabin']);
  expect(foldersIn(state, folder(9))).toEqual([]);
});

test('what went into the trash before a moment', () => {
  expect([trashedBefore(sample(), 9), trashedBefore(sample(), 10)]).toEqual([[], [idOf('file', 6)]]);
});
