import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PendingChanges } from '../../src/lib/drive/pending-changes.ts';
import { View } from '../../src/lib/drive/view.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import type { Report } from '../../src/lib/protocol/commands.ts';
import type { DroppedChange, FileRow } from '../../src/lib/protocol/drive.ts';
import { fileAdd, idOf, newWorld, openJournal } from '../journal/world.ts';

const NOT_FOUND: DroppedChange = { key: 1, name: 'x', code: 'not_found' };
let journal: Journal;
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
    get names() {
      return names;
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
    view.set({ filter: '', sortBy: 'name', descending: true });
    expect(reports).toEqual([{ kind: 'view', revision: 2, total: 3, files: 3 }]);
    expect(view.rows(1, 1)).toMatchObject({
      revision: 2,
      rows: [{ file: idOf('file', 1), name: 'b', kept: 'no', isGone: false, isPending: false }],
    });
    expect(view.rows(0, 1).rows[0]).not.toHaveProperty('blob');
    expect(view.rows(2, 9).rows).toHaveLength(1);
  });

  it('is filtered, and says how many files there are all the same', () => {
    look();
    view.set({ filter: 'A', sortBy: 'name', descending: false });
    expect(reports).toEqual([{ kind: 'view', revision: 2, total: 1, files: 3 }]);
    expect(shown()).toEqual(['a']);
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
    expect(view.rows(0, 1).rows[0]?.kept).toBe('kept');
  });
});

describe('a drive that is not looked at any more', () => {
  it('has nothing left to show, and is heard of no more', async () => {
    look();
    view.look(undefined);
    expect(reports).toEqual([{ kind: 'view', revision: 2, total: 0, files: 0 }]);
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
