import { describe, expect, it } from 'vitest';
import { readAttempts, saveAttempts } from '../../src/lib/store/attempts.ts';
import { ONLY, type Database } from '../../src/lib/store/database.ts';
import { useDatabase } from './use-database.ts';

let database: Database;

useDatabase('attempts', (opened) => {
  database = opened;
});

describe('wrong passphrases in a row', () => {
  it('are none before the first, and after a right one', async () => {
    expect(await readAttempts(database)).toBeUndefined();
    await saveAttempts(database, { wrong: 2, lastMs: 1_800_000_000_000 });
    expect(await readAttempts(database)).toEqual({ wrong: 2, lastMs: 1_800_000_000_000 });
    await saveAttempts(database, undefined);
    expect(await readAttempts(database)).toBeUndefined();
  });

  it.each([
    { wrong: -1, lastMs: 1 },
    { wrong: 1.5, lastMs: 1 },
    { wrong: 1, lastMs: Infinity },
    { wrong: '3' },
  ])('are none where what rests says nothing that can be: %j', async (rests) => {
    await database.put('attempts', rests as never, ONLY);
    expect(await readAttempts(database)).toBeUndefined();
  });
});
