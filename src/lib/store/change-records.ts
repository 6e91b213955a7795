import type { Bytes } from '../bytes.ts';
import { writing, type Database } from './database.ts';

/** A change of this device's that is not in the journal yet, sealed. `key`: its place among the others. */
export interface SealedChange {
  readonly key: number;
  readonly sealed: Bytes;
}

/** All of them, in the order in which they were made. */
export async function readChanges(database: Database): Promise<SealedChange[]> {
  const found: SealedChange[] = [];
  let cursor = await database.transaction('changes').store.openCursor();
  while (cursor) {
    found.push({ key: cursor.key, sealed: cursor.value });
    cursor = await cursor.continue();
  }
  return found;
}

/**
 * Puts these after the others, all or none.
 * @returns their keys
 * @throws {HalfkeyError} `device_full`; `device_state_lost` after the device was wiped
 */
export function addChanges(database: Database, sealed: readonly Bytes[]): Promise<number[]> {
  return writing(async () => {
    const { store, done } = database.transaction('changes', 'readwrite');
    const [keys] = await Promise.all([Promise.all(sealed.map((each) => store.add(each))), done]);
    return keys;
  });
}

/** Replaces and removes, all at once or not at all. @throws {HalfkeyError} as `addChanges` */
export async function updateChanges(
  database: Database,
  { replaced, removed }: { readonly replaced: readonly SealedChange[]; readonly removed: readonly number[] },
): Promise<void> {
  await writing(async () => {
    const { store, done } = database.transaction('changes', 'readwrite');
    await Promise.all([
      ...replaced.map(({ key, sealed }) => store.put(sealed, key)),
      ...removed.map((key) => store.delete(key)),
      done,
    ]);
  });
}
