import { deleteDB, openDB } from 'idb';

/** A database of its own, because the other one is gone by then. That it is there is all that it says. */
const NAME = 'halfkey-left';

/** Somebody signs out: until the broker is known to have heard of it, the session may live there. */
export async function noteLeft(): Promise<void> {
  (await openDB(NAME)).close();
}

/** Whether there is such a note. */
export async function isLeft(): Promise<boolean> {
  return (await indexedDB.databases()).some(({ name }) => name === NAME);
}

/** The broker has heard of it, or the browser has another session by now. */
export async function forgetLeft(): Promise<void> {
  await deleteDB(NAME);
}
