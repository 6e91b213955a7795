import { deleteDB } from 'idb';
import { DATABASE, type Database } from './database.ts';
import { listOpfs, removeOpfsFile } from './opfs.ts';

/**
 * Removes everything that this origin holds for somebody: database, private files, caches. What stays is the app itself
 * (the precache), which says nothing about anybody and without which the app would not start offline.
 *
 * @param database the caller's connection, closed here; other tabs close theirs when they are asked to
 */
export async function wipeDevice(database: Database): Promise<void> {
  database.close();
  // The database first: its end is what tells other tabs to let go of their files.
  await deleteDB(DATABASE);
  await Promise.all([wipeOpfs(), wipeCaches()]);
}

const RETRY_MS = 100;
const RETRIES = 50;

async function wipeOpfs(): Promise<void> {
  for (const name of await listOpfs()) await removeReleased(name, RETRIES);
}

/** A file that another tab has open cannot be removed until it is closed. */
async function removeReleased(name: string, retries: number): Promise<void> {
  try {
    await removeOpfsFile(name);
  } catch (error) {
    if (retries === 0 || !(error instanceof DOMException)) throw error;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    await removeReleased(name, retries - 1);
  }
}

async function wipeCaches(): Promise<void> {
  for (const name of await caches.keys()) {
    if (!name.startsWith('workbox-precache')) await caches.delete(name);
  }
}
