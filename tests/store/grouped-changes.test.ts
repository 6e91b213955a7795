import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openDatabase, type Database } from '../../src/lib/store/database.ts';
import { groupedChanges } from '../../src/lib/store/grouped-changes.ts';

let database: Database;
let changes: ReturnType<typeof groupedChanges>;
beforeEach(async () => {
  database = await openDatabase(() => undefined);
  await database.clear('uploads');
  changes = groupedChanges(database);
});
afterEach(() => {
  vi.restoreAllMocks();
  database.close();
});

/** Records are opaque here: a number says which one it is. */
const put = (blob: string, record: number) =>
  changes(blob, async ({ uploads }) => {
    await uploads.put(record as never, blob);
    return record;
  });
const stored = () => database.getAll('uploads') as Promise<unknown>;

it('changes that come together are one transaction, flushed once', async () => {
  const transaction = vi.spyOn(database, 'transaction');
  expect(await Promise.all(['a', 'b', 'c'].map(put))).toEqual([0, 1, 2]);
  expect(transaction.mock.calls.map(([, mode, options]) => [mode, options])).toEqual([
    ['readwrite', { durability: 'strict' }],
  ]);
  expect(await stored()).toEqual([0, 1, 2]);
});

it('of one blob they keep their order', async () => {
  const seen: unknown[] = [];
  const read = () => changes('a', async ({ uploads }) => void seen.push(await uploads.get('a')));
  await Promise.all([put('a', 1), read(), put('a', 2), read()]);
  expect(seen).toEqual([1, 2]);
});

it('one that is refused by its own code takes no other along', async () => {
  const outcomes = await Promise.allSettled([
    put('a', 1),
    changes('b', () => Promise.reject(new TypeError('not there'))),
    put('c', 3),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await stored()).toEqual([1, 3]);
});

it('one that the database refuses takes no other along', async () => {
  const outcomes = await Promise.allSettled([
    put('a', 1),
    changes('b', async ({ uploads }) => {
      await uploads.add(0 as never, 'b');
      await uploads.add(0 as never, 'b');
    }),
    put('c', 3),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await stored()).toEqual([1, 3]);
});

it('are told of as lost when the database was closed meanwhile', async () => {
  database.close();
  await expect(put('a', 1)).rejects.toMatchObject({ code: 'device_state_lost' });
});
