import * as v from 'valibot';
import { writing, type Database, type StoredKitNote } from './database.ts';

const KEY = 'kit';
const PARTS = ['words', 'backup-codes'] as const;
const Note = v.object({ unkept: v.array(v.picklist(PARTS)) });

/** A sheet of the kit. */
type KitPart = (typeof PARTS)[number];

/**
 * What was shown to anyone who signed up on this device, as long as nobody has said that it is kept: it is shown once,
 * and a page that dies with it leaves an account without.
 */
export async function unkeptParts(database: Database): Promise<readonly KitPart[]> {
  const note = v.safeParse(Note, await database.get('settings', KEY));
  return note.success ? note.output.unkept : [];
}

/** These are about to be shown for the first time, or there are none any more. @throws {HalfkeyError} `device_full` */
export async function noteUnkept(database: Database, ...parts: readonly KitPart[]): Promise<void> {
  const before = await unkeptParts(database);
  const note: StoredKitNote = {
    unkept: PARTS.filter((part) => parts.includes(part) || before.includes(part)),
  };
  await writing(() => database.put('settings', note, KEY));
}

/** Somebody has said that these are kept, or has others now. @throws {HalfkeyError} `device_full` */
export async function noteKept(database: Database, ...kept: readonly KitPart[]): Promise<void> {
  const unkept = (await unkeptParts(database)).filter((part) => !kept.includes(part));
  await writing(async () => {
    if (unkept.length > 0) await database.put('settings', { unkept }, KEY);
    else await database.delete('settings', KEY);
  });
}
