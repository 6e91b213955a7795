import { writing, type Database } from './database.ts';

const KEY = 'kit';

/**
 * Whether somebody has signed up on this device and not said yet that words and codes are kept: they were shown once, and a page
 * that dies with them leaves an account without.
 */
export async function isKitUnkept(database: Database): Promise<boolean> {
  return (await database.get('settings', KEY)) !== undefined;
}

/** @throws {HalfkeyError} `device_full` */
export async function noteKit(database: Database, note: 'unkept' | 'kept'): Promise<void> {
  await writing(async () => {
    if (note === 'unkept') await database.put('settings', { isKitUnkept: true }, KEY);
    else await database.delete('settings', KEY);
  });
}
