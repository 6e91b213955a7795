import { describe, expect, it } from 'vitest';
import { ONLY, type Database } from '../../src/lib/store/database.ts';
import { readTransferSettings, saveTransferSettings } from '../../src/lib/store/transfer-settings.ts';
import { useDatabase } from './use-database.ts';

const USUAL = { parallel: 4, wifiOnly: false };
let database: Database;

useDatabase('settings', (opened) => {
  database = opened;
});

describe('the settings of transfers', () => {
  it('are the usual ones before somebody chooses, and then those', async () => {
    expect(await readTransferSettings(database)).toEqual(USUAL);
    await saveTransferSettings(database, { parallel: 2, wifiOnly: true });
    expect(await readTransferSettings(database)).toEqual({ parallel: 2, wifiOnly: true });
  });

  it.each([
    [-1, 1],
    [0, 4],
    [1, 1],
    [6, 6],
    [7, 6],
    [2.9, 2],
    [Number.NaN, 4],
    [Number.POSITIVE_INFINITY, 6],
  ])('of %s parts at a time are kept as %s', async (parallel, kept) => {
    expect(await saveTransferSettings(database, { parallel, wifiOnly: false })).toEqual({
      ...USUAL,
      parallel: kept,
    });
    expect((await readTransferSettings(database)).parallel).toBe(kept);
  });

  it.each([{ parallel: 0, wifiOnly: true }, { parallel: 7, wifiOnly: true }, { parallel: 2 }, 7])(
    'are the usual ones where what rests cannot be: %j',
    async (rests) => {
      await database.put('settings', rests as never, ONLY);
      expect(await readTransferSettings(database)).toEqual(USUAL);
    },
  );
});
