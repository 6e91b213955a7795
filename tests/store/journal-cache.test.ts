import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase, type Database } from '../../src/lib/store/database.ts';
import { journalCache } from '../../src/lib/store/journal-cache.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { TestLocks } from '../support/test-locks.ts';
import { until } from '../support/until.ts';

let database: Database;
let cache: ReturnType<typeof journalCache>;

beforeEach(async () => {
  vi.stubGlobal('navigator', { locks: new TestLocks().client().locks });
  database = await openDatabase(() => undefined);
  await database.clear('journal');
  cache = journalCache(database, 'vault');
});
afterEach(() => {
  database.close();
  vi.unstubAllGlobals();
});

const copy = (fill: number) => new Uint8Array([fill]);

describe('the copy of a journal on this device', () => {
  it('is written without a question where there is none', async () => {
    expect(await cache.load()).toBeUndefined();
    await cache.save(copy(1), () => Promise.reject(new Error('nothing is replaced')));
    expect(await cache.load()).toEqual(copy(1));
  });

  it.each([
    [true, copy(2)],
    [false, copy(1)],
  ])('gives way to a newer one if its tab says so: %s', async (may, expected) => {
    await cache.save(copy(1), () => Promise.resolve(true));
    const asked: Uint8Array[] = [];
    await cache.save(copy(2), (stored) => {
      asked.push(stored);
      return Promise.resolve(may);
    });
    expect(asked).toEqual([copy(1)]);
    expect(await cache.load()).toEqual(expected);
  });

  it('is asked about by one tab after the other: each sees what the one before has written', async () => {
    await cache.save(copy(1), () => Promise.resolve(true));
    let goOn: (may: boolean) => void = () => undefined;
    const first = cache.save(copy(2), () => new Promise((resolve) => (goOn = resolve)));
    const seen: Uint8Array[] = [];
    const second = cache.save(copy(3), (stored) => {
      seen.push(stored);
      return Promise.resolve(true);
    });
    await until(() => {
      goOn(true);
      return seen.length > 0;
    });
    await Promise.all([first, second]);
    expect(seen).toEqual([copy(2)]);
  });

  it('cannot be written once the device was wiped', async () => {
    database.close();
    expect(await refusalCode(cache.save(copy(1), () => Promise.resolve(true)))).toBe('device_state_lost');
  });
});
