import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase, type Database, type StoredKept } from '../../src/lib/store/database.ts';
import { keptRecords } from '../../src/lib/store/kept-records.ts';
import { refusalCode } from '../crypto/refusal.ts';

let database: Database;

beforeEach(async () => {
  database = await openDatabase(() => undefined);
  await database.clear('kept');
});
afterEach(() => {
  database.close();
});

const kept = (blob: string, isWhole = true): StoredKept => ({ blob, file: 'f', sealedBytes: 3, isWhole });

it('lists one record for each blob, as it was saved last, until it is removed', async () => {
  const records = keptRecords(database);
  for (const each of [kept('a', false), kept('b'), kept('a')]) await records.save(each);
  expect(await records.list()).toEqual([kept('a'), kept('b')]);
  await records.remove('a');
  await records.remove('a');
  expect(await records.list()).toEqual([kept('b')]);
});

it('saves nothing on a device that was wiped', async () => {
  database.close();
  expect(await refusalCode(keptRecords(database).save(kept('a')))).toBe('device_state_lost');
});
