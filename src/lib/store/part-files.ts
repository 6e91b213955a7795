import { HalfkeyError } from '../errors.ts';
import type { Bytes } from '../bytes.ts';
import { writing } from './database.ts';
import { ask, isNotFound, namesIn, opfsRoot, unlessRefused } from './opfs.ts';

/**
 * Ciphertext that is stored on this device, in parts as S3 has them: a folder per blob, a file per part that is written
 * once.
 */
export interface PartFiles {
  /**
   * On the disk when it resolves.
   * @param partNumber 1-based
   * @throws {HalfkeyError} `device_full`; `storage_refused`
   */
  write(blob: string, partNumber: number, bytes: Bytes): Promise<void>;
  /** As it is on the disk, read lazily. @returns undefined when there is none */
  read(blob: string, partNumber: number): Promise<Blob | undefined>;
  /** Blobs of which there is anything, in no order; none where the browser refuses to keep anything. */
  list(): Promise<string[]>;
  /** All parts of a blob. One that is not there is fine. */
  remove(blob: string): Promise<void>;
}

/** In the origin's private file system. `write` works in workers only; a service worker can read. */
export function opfsParts(area: 'uploads' | 'kept'): PartFiles {
  const folder = async (create: boolean) =>
    ask(await opfsRoot(), (root) => root.getDirectoryHandle(area, { create }));
  return {
    write: (blob, partNumber, bytes) =>
      writing(async () => {
        const parts = await ask(await folder(true), (all) => all.getDirectoryHandle(blob, { create: true }));
        const file = await ask(parts, (made) => made.getFileHandle(String(partNumber), { create: true }));
        const handle = await ask(file, (made) => made.createSyncAccessHandle());
        try {
          handle.truncate(0);
          const writtenBytes = handle.write(bytes, { at: 0 });
          if (writtenBytes < bytes.length) throw new HalfkeyError('device_full', 'the browser wrote a piece');
          handle.flush();
        } finally {
          handle.close();
        }
      }),
    read: (blob, partNumber) =>
      orNothing(async () => {
        const parts = await ask(await folder(false), (all) => all.getDirectoryHandle(blob));
        const file = await ask(parts, (found) => found.getFileHandle(String(partNumber)));
        return ask(file, (found) => found.getFile());
      }),
    async list() {
      const area = await orNothing(() => folder(false)).catch(unlessRefused);
      return area ? namesIn(area) : [];
    },
    async remove(blob) {
      await orNothing(async () => {
        await ask(await folder(false), (all) => all.removeEntry(blob, { recursive: true }));
      });
    },
  };
}

async function orNothing<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
