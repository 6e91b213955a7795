import './runes.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { FileRow } from '../../src/lib/protocol/drive.ts';
import type { Announcer } from '../../src/lib/state/announcer.svelte.ts';
import { Files } from '../../src/lib/state/files.svelte.ts';
import { toldWorker } from './told-worker.ts';
import { viewReport } from './view-report.ts';

const row = (number: number, revision: number): FileRow => ({
  ...{ kind: 'file', entry: `file ${String(number)}`, folder: '', isFavourite: false, tags: [] },
  ...{ name: `r${String(revision)}`, sizeBytes: 1, mediaType: 'text/plain' },
  ...{ addedAtMs: 0, kept: 'no', isGone: false, isPending: false },
});
/** What the worker's list has come to. */
let revision: number;
/** Waits before each answer of rows. */
let beforeAnswer: () => Promise<void>;
let told: ReturnType<typeof toldWorker>;
let files: Files;

beforeEach(() => {
  revision = 1;
  beforeAnswer = () => Promise.resolve();
  told = toldWorker({
    'view/rows': async ({ from, count }) => {
      const answered = revision;
      const rows = Array.from({ length: count }, (_, index) => row(from + index, answered));
      await beforeAnswer();
      return { revision: answered, rows };
    },
  });
  files = new Files(told.worker, { say: () => undefined } as unknown as Announcer);
  files.applyView(viewReport({ total: 1000, all: 1000 }));
});
const asked = () => told.sent.map(([, args]) => (args as { from: number }).from);

describe('rows that come into sight', () => {
  it('are fetched with those around them, up to the end of the list', async () => {
    await files.ensure(390, 410);
    expect(asked()).toEqual([200, 400]);
    expect(files.row(399)?.entry).toBe('file 399');
    expect(files.row(400)?.entry).toBe('file 400');
    expect(files.row(600)).toBeUndefined();
    await files.ensure(990, 1400);
    expect(asked()).toEqual([200, 400, 800]);
  });

  it('are fetched once, however often they are looked at, and again when the list has changed', async () => {
    await Promise.all([files.ensure(0, 10), files.ensure(5, 15)]);
    await files.ensure(0, 10);
    expect(asked()).toEqual([0]);
    revision = 2;
    files.applyView(viewReport({ revision: 2, total: 1000, all: 1000 }));
    await files.ensure(0, 10);
    expect(asked()).toEqual([0, 0]);
    expect(files.row(0)?.name).toBe('r2');
  });

  it('stay as they were until the newer ones are here', async () => {
    await files.ensure(0, 1);
    files.applyView(viewReport({ revision: 2, total: 1000, all: 1000 }));
    expect(files.row(0)?.name).toBe('r1');
  });

  it('are not put over newer ones by an answer that comes late', async () => {
    let goOn: () => void = () => undefined;
    beforeAnswer = () => new Promise((resolve) => (goOn = resolve));
    const late = files.ensure(0, 1);
    revision = 2;
    files.applyView(viewReport({ revision: 2, total: 1000, all: 1000 }));
    const goOnLate = goOn;
    beforeAnswer = () => Promise.resolve();
    await files.ensure(0, 1);
    goOnLate();
    await late;
    expect(files.row(0)?.name).toBe('r2');
  });

  it('are asked for again when they did not come', async () => {
    beforeAnswer = () => Promise.reject(new HalfkeyError('internal', 'x'));
    await files.ensure(0, 1);
    expect(files.row(0)).toBeUndefined();
    beforeAnswer = () => Promise.resolve();
    await files.ensure(0, 1);
    expect(files.row(0)?.entry).toBe('file 0');
  });

  it('have keys that tell a file in one window from the same in another', async () => {
    expect(files.keyOf(250)).toBe('1/250');
    await files.ensure(250, 251);
    expect(files.keyOf(250)).toBe('1/file 250');
    expect(files.keyOf(50)).not.toBe(files.keyOf(250));
  });
});

describe('the query', () => {
  const queries = () => told.sent.filter(([name]) => name === 'view/set').map(([, query]) => query);

  it('is sorted from A to Z, from the newest and from the largest, and turned round by asking again', async () => {
    for (const column of ['name', 'size', 'size', 'added', 'name'] as const) await files.sort(column);
    expect(queries()).toMatchObject([
      { sortBy: 'name', descending: true }, // It was sorted by name already.
      { sortBy: 'size', descending: true },
      { sortBy: 'size', descending: false },
      { sortBy: 'added', descending: true },
      { sortBy: 'name', descending: false },
    ]);
  });

  it('keeps its search when it is sorted, and its order when it is searched', async () => {
    await files.sort('size');
    await files.search('tax');
    await files.sort('added');
    expect(queries().slice(1)).toMatchObject([
      { search: 'tax', sortBy: 'size', descending: true },
      { search: 'tax', sortBy: 'added', descending: true },
    ]);
  });

  it('of a place is that of when it was left, without its search; in the trash the newest comes first', async () => {
    const norway = { kind: 'folder', folder: 'norway' } as const;
    await files.sort('size');
    await files.search('tax');
    await files.go(norway);
    await files.go({ kind: 'trash' });
    await files.go({ kind: 'folder', folder: '' });
    expect(queries().slice(2)).toEqual([
      { place: norway, search: '', sortBy: 'name', descending: false },
      { place: { kind: 'trash' }, search: '', sortBy: 'added', descending: true },
      { place: { kind: 'folder', folder: '' }, search: '', sortBy: 'size', descending: true },
    ]);
  });

  it('shows nothing of the place that was left, whatever comes late of it', async () => {
    await files.ensure(0, 1);
    await files.go({ kind: 'favourites' });
    expect([files.isKnown, files.total, files.row(0)]).toEqual([false, 0, undefined]);
    files.applyView(viewReport({ revision: 2, total: 9, all: 9 }));
    expect([files.isKnown, files.total, files.all]).toEqual([false, 0, 9]);
    files.applyView(viewReport({ revision: 3, place: { kind: 'favourites' }, total: 2, all: 9 }));
    expect([files.isKnown, files.total]).toEqual([true, 2]);
  });

  it('sends new things to the top folder where what is looked at is no folder that is there', async () => {
    const norway = { kind: 'folder', folder: 'norway' } as const;
    await files.go(norway);
    files.applyView(viewReport({ revision: 2, place: norway }));
    expect(files.folder).toBe('norway');
    files.applyView(viewReport({ revision: 3, place: norway, isMissing: true }));
    expect(files.folder).toBe('');
    await files.go({ kind: 'trash' });
    expect(files.folder).toBe('');
  });
});

it('has nothing of the list left once it is cleared', async () => {
  await files.search('tax');
  await files.ensure(0, 1);
  files.clear();
  expect([files.total, files.all, files.row(0), files.query.search]).toEqual([0, undefined, undefined, '']);
});
