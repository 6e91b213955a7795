import * as v from 'valibot';
import { ONLY, writing, type Database, type StoredEventHead } from './database.ts';

const Head = v.object({ seq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)), hash: v.string() });

/**
 * It is stored in the clear: anyone who could change it could as well remove it, which nothing here can tell from a
 * device that has seen none.
 * @returns undefined where no event was seen yet, or it is not a head
 */
export async function readEventHead(database: Database): Promise<StoredEventHead | undefined> {
  const parsed = v.safeParse(Head, await database.get('events', ONLY));
  return parsed.success ? parsed.output : undefined;
}

/** Keeps what another tab has seen beyond it. @throws {HalfkeyError} `device_full` */
export async function saveEventHead(database: Database, head: StoredEventHead): Promise<void> {
  await writing(async () => {
    const { store, done } = database.transaction('events', 'readwrite');
    const stored = v.safeParse(Head, await store.get(ONLY));
    if (!stored.success || stored.output.seq < head.seq) await store.put(head, ONLY);
    await done;
  });
}
