import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PendingChanges } from '../../src/lib/drive/pending-changes.ts';
import { View } from '../../src/lib/drive/view.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import type { Report } from '../../src/lib/protocol/commands.ts';
import type { DroppedChange, FileRow, ViewQuery } from '../../src/lib/protocol/drive.ts';
import { rebase } from '../../src/lib/drive/rebase.ts';
import { fileAdd, folderAdd, idOf, newWorld, openJournal, versionOf } from '../journal/world.ts';

const TOP: ViewQuery = {
  ...{ place: { kind: 'folder', folder: '' }, search: '' },
  ...{ sortBy: 'name', descending: false },
};
const NOT_FOUND: DroppedChange = { key: 1, kind: 'rename', name: 'x', code: 'not_found' };
let journal: Journal;
/** New names that are not in the journal yet, by file. */
let names: Map<string, string>;
let dropped: DroppedChange[];
let listeners: Set<() => void>;
let kept: FileRow['kept'];
let reports: Report[];
let view: View;

beforeEach(async () => {
  [dropped, listeners, kept, reports] = [[], new Set(), 'no', []];
  names = new Map();
  journal = await openJournal(await newWorld());
  await journal.append(() => [fileAdd(1, 'b'), fileAdd(2, 'a'), fileAdd(3, 'c')]);
  vi.useFakeTimers();
  view = new View(
    (report) => reports.push(report),
    () => kept,
  );
});
afterEach(() => {
  vi.useRealTimers();
});

function look(): void {
  const changes = {
    get shown() {
      const edits = [...names].map(([entry, name]) => ({ kind: 'rename' as const, entry, name, was: '' }));
      return rebase(journal.state, [{ edits }], { device: 'd', isOwn: () => true }).state;
    },
    get touched() {
      return new Set(names.keys());
    },
    get dropped() {
      return dropped;
    },
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as PendingChanges;
  view.look({ journal, changes });
  reports.length = 0;
}
const change = () => {
  for (const listener of listeners) listener();
};
const shown = () => view.rows(0, 10).rows.map(({ name }) => name);

describe('the list', () => {
  it('is told with how much there is, and read in rows', () => {
    look();
    view.set({ ...TOP, descending: true });
    const sizeBytes = [1, 2, 3].reduce((sum, number) => sum + versionOf(number).sizeBytes, 0);
    const told = { total: 3, files: 3, sizeBytes, all: 3, crumbs: [], isMissing: false };
    expect(reports).toEqual([{ kind: 'view', revision: 2, place: TOP.place, ...told }]);
    expect(view.rows(1, 1)).toMatchObject({
      revision: 2,
      rows: [{ entry: idOf('file', 1), name: 'b', kept: 'no', isGone: false, isPending: false }],
    });
    expect(view.rows(0, 1).rows[0]).not.toHaveProperty('blob');
    expect(view.rows(2, 9).rows).toHaveLength(1);
  });

  it('is searched, and says how much there is all the same', () => {
    look();
    view.set({ ...TOP, search: 'A' });
    expect(reports).toMatchObject([{ kind: 'view', revision: 2, total: 1, files: 1, all: 3 }]);
    expect(shown()).toEqual(['a']);
    expect(view.rows(0, 1).rows[0]?.path).toEqual([]);
  });

  it('shows names that are not in the journal yet', () => {
    look();
    names.set(idOf('file', 2), 'z');
    change();
    vi.runAllTimers();
    expect(shown()).toEqual(['b', 'c', 'z']);
    expect(view.rows(2, 1).rows[0]?.isPending).toBe(true);
  });

  it('shows changes that come together together', () => {
    look();
    for (let count = 0; count < 5; count++) change();
    expect(reports).toEqual([]);
    vi.runAllTimers();
    expect(reports).toHaveLength(1);
    change();
    vi.runAllTimers();
    expect(reports).toHaveLength(2);
  });

  it('shows what the journal says anew', async () => {
    look();
    await journal.append(() => [fileAdd(4, 'd')]);
    vi.runAllTimers();
    expect(reports).toMatchObject([{ total: 4 }]);
  });

  it('asks anew of each row whether it is kept here', () => {
    look();
    kept = 'kept';
    expect(view.rows(0, 1).rows[0]).toMatchObject({ kept: 'kept' });
  });
});

describe('a folder', () => {
  beforeEach(async () => {
    await journal.append(() => [
      folderAdd(1, 'Norway'),
      folderAdd(2, '2026', idOf('folder', 1)),
      fileAdd(9, 'fjord', idOf('folder', 2)),
    ]);
  });
  const within = (folder: string): ViewQuery => ({ ...TOP, place: { kind: 'folder', folder } });

  it('is shown with the way to it, its folders before its files', () => {
    look();
    view.set(within(idOf('folder', 2)));
    const crumbs = [
      { folder: idOf('folder', 1), name: 'Norway' },
      { folder: idOf('folder', 2), name: '2026' },
    ];
    expect(reports).toMatchObject([{ total: 1, files: 1, all: 6, crumbs, isMissing: false }]);
    expect(view.rows(0, 9).rows).toMatchObject([{ kind: 'file', name: 'fjord', folder: idOf('folder', 2) }]);
    view.set(within(''));
    expect(shown()).toEqual(['Norway', 'a', 'b', 'c']);
    expect(view.rows(0, 1).rows[0]?.path).toBeUndefined();
  });

  it('is missing when it is gone, a file, or in the trash', async () => {
    look();
    const told = [];
    await journal.append(() => [{ kind: 'trash', entry: idOf('folder', 1), atMs: 1 }]);
    for (const folder of [idOf('folder', 9), idOf('file', 1), idOf('folder', 1), idOf('folder', 2)]) {
      reports.length = 0;
      view.set(within(folder));
      told.push(...reports);
    }
    expect(told).toMatchObject(Array.from({ length: 4 }, () => ({ total: 0, isMissing: true, crumbs: [] })));
    view.set({ ...TOP, place: { kind: 'trash' } });
    expect(view.rows(0, 9).rows).toMatchObject([
      { kind: 'folder', name: 'Norway', trashedAtMs: 1, path: [] },
    ]);
  });

  it('finds the next row whose name begins so, from a row on and then from the top', () => {
    look();
    view.set(within(''));
    expect([view.find('N', 0), view.find('b', 0), view.find('b', 3), view.find('x', 0)]).toEqual([
      0,
      2,
      2,
      undefined,
    ]);
  });

  it('tells ids of a range, and where one of them is', () => {
    look();
    view.set(within(''));
    expect(view.entries(1, 3)).toEqual([idOf('file', 2), idOf('file', 1)]);
    expect(view.indexOf(idOf('folder', 1))).toBe(0);
    expect([view.indexOf(idOf('file', 9)), view.indexOf('nothing')]).toEqual([undefined, undefined]);
  });
});

describe('a drive that is not looked at any more', () => {
  it('has nothing left to show, and is heard of no more', async () => {
    look();
    view.look(undefined);
    expect(reports).toMatchObject([{ kind: 'view', revision: 2, total: 0, files: 0, all: 0 }]);
    expect(shown()).toEqual([]);
    expect(listeners.size).toBe(0);
    await journal.append(() => [fileAdd(4, 'd')]);
    vi.runAllTimers();
    expect(reports).toHaveLength(1);
  });

  it('does not show because of what came just before', () => {
    look();
    change();
    view.look(undefined);
    vi.runAllTimers();
    expect(reports).toHaveLength(1);
  });
});

describe('changes that were given up', () => {
  const told = () => reports.filter(({ kind }) => kind === 'changes-dropped');

  it('are told once, and again whenever they are others', () => {
    look();
    dropped = [NOT_FOUND];
    for (let count = 0; count < 3; count++) {
      change();
      vi.runAllTimers();
    }
    expect(told()).toEqual([{ kind: 'changes-dropped', changes: [NOT_FOUND] }]);
    dropped = [{ ...NOT_FOUND, key: 2 }];
    change();
    vi.runAllTimers();
    dropped = [];
    change();
    vi.runAllTimers();
    expect(told().slice(1)).toEqual([
      { kind: 'changes-dropped', changes: [{ ...NOT_FOUND, key: 2 }] },
      { kind: 'changes-dropped', changes: [] },
    ]);
  });

  it('are nobody’s once the drive is not looked at any more', () => {
    dropped = [NOT_FOUND];
    look();
    view.look(undefined);
    expect(told()).toEqual([{ kind: 'changes-dropped', changes: [] }]);
  });
});
