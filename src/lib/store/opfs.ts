import { HalfkeyError } from '../errors.ts';
import { writing } from './database.ts';

/** A file of the origin's private file system, open for synchronous writes: in a worker only, and by one at a time. */
export interface OpfsHandle {
  /** Bytes read: fewer than asked for at the end of the file. */
  read(target: Uint8Array, options?: { at: number }): number;
  write(bytes: Uint8Array, options?: { at: number }): number;
  truncate(sizeBytes: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** Questions that are not answered yet. */
const asked = new Set<{ readonly handle: FileSystemHandle }>();

/**
 * Asks something of a handle, and holds on to the handle until it is answered. Chromium drops a question whose handle
 * is collected as garbage meanwhile: its promise would never settle, and an upload would wait for its part for ever.
 */
export async function ask<Handle extends FileSystemHandle, Answer>(
  handle: Handle,
  question: (handle: Handle) => Promise<Answer>,
): Promise<Answer> {
  const held = { handle };
  asked.add(held);
  try {
    return await question(handle);
  } finally {
    asked.delete(held);
  }
}

/**
 * Makes an empty file, or empties one of that name.
 * @throws {HalfkeyError} `device_full`; `storage_refused`
 */
export async function createOpfsFile(name: string): Promise<OpfsHandle> {
  const root = await opfsRoot();
  return writing(async () => {
    const file = await ask(root, (folder) => folder.getFileHandle(name, { create: true }));
    const handle = await ask(file, (made) => made.createSyncAccessHandle());
    handle.truncate(0);
    return handle;
  });
}

/** A file as it is now, read lazily. @returns undefined when there is none of that name */
export async function readOpfsFile(name: string): Promise<File | undefined> {
  const root = await opfsRoot();
  try {
    const file = await ask(root, (folder) => folder.getFileHandle(name));
    return await ask(file, (found) => found.getFile());
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Removes a file; one that is not there is fine. */
export async function removeOpfsFile(name: string): Promise<void> {
  const root = await opfsRoot();
  try {
    await ask(root, (folder) => folder.removeEntry(name, { recursive: true }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Names of everything at the root, in no order; none where the browser refuses to keep anything. */
export async function listOpfs(): Promise<string[]> {
  const root = await opfsRoot().catch(unlessRefused);
  return root ? namesIn(root) : [];
}

/** Names of everything in a folder, in no order. */
export async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

/**
 * What the browser may count beyond this app's own records: the shell, the database with the journal's copy, and how it
 * rounds. Chromium counts what was written to OPFS and removed again, and its count has been seen to wrap below zero:
 * 4.3 GB after 9 MB.
 */
const UNRECORDED_BYTES = 512 * 1024 * 1024;

/**
 * Bytes that this origin may still take up, by the browser's guess.
 * @param recordedBytes what is stored here by this app's own records
 * @returns undefined when the browser does not say, or what it says of the bytes in use cannot be
 */
export async function freeBytes(recordedBytes: number): Promise<number | undefined> {
  const { quota, usage } = await navigator.storage.estimate();
  if (quota === undefined || usage === undefined || usage > recordedBytes + UNRECORDED_BYTES)
    return undefined;
  return Math.max(0, quota - usage);
}

/**
 * What the browser says of this origin's place on the device; the quota in bytes, and left out where it does not say.
 */
export async function storageTerms(): Promise<{
  readonly quotaBytes?: number;
  /** Whether it promised not to evict it. */
  readonly isPersistent: boolean;
}> {
  const [{ quota }, isPersistent] = await Promise.all([
    navigator.storage.estimate(),
    navigator.storage.persisted(),
  ]);
  return {
    ...(quota !== undefined && { quotaBytes: quota }),
    isPersistent,
  };
}

/** Whether this worker can write files synchronously: the floor is Chromium 137, Firefox 130, Safari 18.4. */
export function hasOpfs(): boolean {
  return (
    typeof (navigator.storage as Partial<StorageManager> | undefined)?.getDirectory === 'function' &&
    typeof FileSystemFileHandle !== 'undefined' &&
    'createSyncAccessHandle' in FileSystemFileHandle.prototype
  );
}

/**
 * Keeps a file for real, and removes it. A private window has all the functions, and refuses only when they are used.
 * @throws {HalfkeyError} `storage_refused`; `device_full`
 */
export async function requireOpfs(): Promise<void> {
  const name = `probe-${crypto.randomUUID()}`;
  try {
    (await createOpfsFile(name)).close();
  } catch (cause) {
    if (cause instanceof HalfkeyError) throw cause;
    throw new HalfkeyError('storage_refused', 'the private file system keeps no file', { cause });
  }
  await removeOpfsFile(name);
}

/** The origin's private file system. @throws {HalfkeyError} `storage_refused` */
export async function opfsRoot(): Promise<FileSystemDirectoryHandle> {
  try {
    return await navigator.storage.getDirectory();
  } catch (cause) {
    throw new HalfkeyError('storage_refused', 'the private file system does not open', { cause });
  }
}

/** For who only wants to know what is there: where nothing can be kept, nothing is. */
export function unlessRefused(error: unknown): undefined {
  if (error instanceof HalfkeyError && error.code === 'storage_refused') return undefined;
  throw error;
}

/** Whether there is no file or folder of that name. */
export function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}
