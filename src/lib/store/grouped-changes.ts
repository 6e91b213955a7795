import type { IDBPObjectStore } from 'idb';
import { Batcher, type Outcome } from '../concurrency/batcher.ts';
import { type Database, type HalfkeySchema, writing } from './database.ts';

/** A tab may crash at any moment, and so may the machine: nothing is acted on before it would survive both. */
const STRICT = { durability: 'strict' } as const;
/** Changes of one transaction: what is flushed to the disk costs as much for a hundred small ones as for one. */
const TOGETHER = 100;

const STORES = ['uploads', 'parts'] as const;
type Stores = {
  readonly [Name in (typeof STORES)[number]]: IDBPObjectStore<
    HalfkeySchema,
    ['uploads', 'parts'],
    Name,
    'readwrite'
  >;
};

interface Change {
  readonly blob: string;
  readonly run: (stores: Stores) => Promise<unknown>;
}

/**
 * Changes what is stored of uploads; each change is on the disk when it resolves. Those that come while a transaction
 * is under way go together in the next one, and one that fails takes no other along. Of one blob they keep their order.
 */
export function groupedChanges(
  database: Database,
): <Result>(blob: string, run: (stores: Stores) => Promise<Result>) => Promise<Result> {
  const batcher = new Batcher<Change, unknown>({
    limit: TOGETHER,
    serve: async (batch) => {
      try {
        return await inOneTransaction(database, batch);
      } catch (error) {
        if (batch.length === 1) throw error;
      }
      const alone: Outcome<unknown>[] = [];
      for (const one of batch) alone.push(await byItself(database, one));
      return alone;
    },
  });
  return async <Result>(blob: string, run: (stores: Stores) => Promise<Result>) =>
    (await batcher.ask({ blob, run })) as Result;
}

/** @throws {HalfkeyError} as `writing`, and then nothing of it is stored */
function inOneTransaction(database: Database, batch: readonly Change[]): Promise<Outcome<unknown>[]> {
  return writing(async () => {
    const transaction = database.transaction(STORES, 'readwrite', STRICT);
    const stores = { uploads: transaction.objectStore('uploads'), parts: transaction.objectStore('parts') };
    const last = new Map<string, Promise<Outcome<unknown>>>();
    const outcomes = batch.map(({ blob, run }) => {
      const outcome = outcomeOf(last.get(blob), () => run(stores));
      last.set(blob, outcome);
      return outcome;
    });
    const [done] = await Promise.all([Promise.all(outcomes), transaction.done]);
    return done;
  });
}

async function outcomeOf(
  before: Promise<unknown> | undefined,
  run: () => Promise<unknown>,
): Promise<Outcome<unknown>> {
  if (before) await before;
  try {
    return { kind: 'done', result: await run() };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

async function byItself(database: Database, change: Change): Promise<Outcome<unknown>> {
  try {
    const [outcome] = await inOneTransaction(database, [change]);
    return outcome ?? { kind: 'again' };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
