import * as v from 'valibot';
import { writing, type Database, type StoredLetterKeys } from './database.ts';

const KEY = 'letter-keys';
const LetterKeys = v.object({ isOn: v.boolean() });

/** Whether single letters do something on this device: they do until somebody switches them off. */
export async function readLetterKeys(database: Database): Promise<boolean> {
  const parsed = v.safeParse(LetterKeys, await database.get('settings', KEY));
  return parsed.success ? parsed.output.isOn : true;
}

/** @throws {HalfkeyError} `device_full` */
export async function saveLetterKeys(database: Database, isOn: boolean): Promise<void> {
  const setting: StoredLetterKeys = { isOn };
  await writing(() => database.put('settings', setting, KEY));
}
