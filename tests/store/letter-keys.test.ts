import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/lib/store/database.ts';
import { readLetterKeys, saveLetterKeys } from '../../src/lib/store/letter-keys.ts';

let database: Database;

beforeEach(async () => {
  database = await openDatabase(() => undefined);
});
afterEach(async () => {
  await database.clear('settings');
  database.close();
});

it('do something until somebody switches them off, and then again when they are switched on', async () => {
  expect(await readLetterKeys(database)).toBe(true);
  for (const isOn of [false, true]) {
    await saveLetterKeys(database, isOn);
    expect(await readLetterKeys(database)).toBe(isOn);
  }
});

it('do something where what is stored is something else', async () => {
  await database.put('settings', { unkept: [] }, 'letter-keys');
  expect(await readLetterKeys(database)).toBe(true);
});
