import * as v from 'valibot';
import { ONLY, writing, type Database, type StoredAttempts } from './database.ts';

const Attempts = v.object({
  wrong: v.pipe(v.number(), v.integer(), v.minValue(0)),
  lastMs: v.pipe(v.number(), v.finite()),
});

/** @returns undefined when none was wrong since the last right one */
export async function readAttempts(database: Database): Promise<StoredAttempts | undefined> {
  const parsed = v.safeParse(Attempts, await database.get('attempts', ONLY));
  return parsed.success ? parsed.output : undefined;
}

/** @param attempts undefined: forgets them. @throws {HalfkeyError} `device_full` */
export async function saveAttempts(database: Database, attempts: StoredAttempts | undefined): Promise<void> {
  await writing(async () => {
    if (attempts) await database.put('attempts', attempts, ONLY);
    else await database.delete('attempts', ONLY);
  });
}
