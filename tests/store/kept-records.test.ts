import { expect, it } from 'vitest';
import type { Database, StoredKept } from '../../src/lib/store/database.ts';
import { keptRecords } from '../../src/lib/store/kept-records.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { useDatabase } from './use-database.ts';

let database: Database;

useDatabase('kept', (opened) => {
  database = opened;
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
