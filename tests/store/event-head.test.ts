import { describe, expect, it } from 'vitest';
import { ONLY, type Database } from '../../src/lib/store/database.ts';
import { readEventHead, saveEventHead } from '../../src/lib/store/event-head.ts';
import { useDatabase } from './use-database.ts';

let database: Database;

useDatabase('events', (opened) => {
  database = opened;
});

describe('the head of the event log', () => {
  it('is none where no event was seen', async () => {
    expect(await readEventHead(database)).toBeUndefined();
  });

  it('goes forward, and never back to what another tab has seen beyond', async () => {
    await saveEventHead(database, { seq: 0, hash: 'a' });
    await saveEventHead(database, { seq: 5, hash: 'f' });
    await Promise.all([
      saveEventHead(database, { seq: 3, hash: 'd' }),
      saveEventHead(database, { seq: 5, hash: 'other' }),
    ]);
    expect(await readEventHead(database)).toEqual({ seq: 5, hash: 'f' });
  });

  it.each([{ seq: -1, hash: 'a' }, { seq: 1.5, hash: 'a' }, { seq: 2 ** 53, hash: 'a' }, { seq: 1 }, 'head'])(
    'that cannot be one is none, and gives way: %j',
    async (rests) => {
      await database.put('events', rests as never, ONLY);
      expect(await readEventHead(database)).toBeUndefined();
      await saveEventHead(database, { seq: 0, hash: 'a' });
      expect(await readEventHead(database)).toEqual({ seq: 0, hash: 'a' });
    },
  );
});
