import type { Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import { createOpfsFile, listOpfs, readOpfsFile, removeOpfsFile } from '../../store/opfs.ts';
import { LOCKS } from '../../concurrency/locks.ts';

/** Of the names of downloads in OPFS. */
const PREFIX = 'download-';

/** Where a download is written to. Nothing of it is to be had before `finish`. */
export interface Sink {
  write(bytes: Bytes): Promise<void>;
  /** @returns the file, where it is in the origin's private file system and is still to be offered */
  finish(): Promise<File | undefined>;
  discard(): Promise<void>;
}

/** @param handle from the picker; without one, a file in OPFS named by the transfer */
export function createSink(transfer: string, handle?: FileSystemFileHandle): Promise<Sink> {
  return handle ? pickedFile(handle) : privateFile(`${PREFIX}${transfer}`);
}

/** Removes what a download has left in OPFS, if anything: it is plaintext, and anyone who wanted it has it. */
export function removeDownload(transfer: string): Promise<void> {
  return removeOpfsFile(`${PREFIX}${transfer}`);
}

/** The same for all downloads of tabs that are gone. */
export async function sweepDownloads(): Promise<void> {
  for (const name of await listOpfs()) {
    if (!name.startsWith(PREFIX)) continue;
    await navigator.locks.request(LOCKS.download(name), { ifAvailable: true }, async (lock) => {
      if (lock) await removeOpfsFile(name);
    });
  }
}

/** Bytes of all downloads in OPFS, whichever tab they are of. */
export async function downloadsBytes(): Promise<number> {
  const names = (await listOpfs()).filter((name) => name.startsWith(PREFIX));
  const files = await Promise.all(names.map((name) => readOpfsFile(name)));
  return files.reduce((sum, file) => sum + (file?.size ?? 0), 0);
}

/**
 * The browser writes beside the file and moves it into its place on `close`: a failure leaves the old one as it was.
 */
async function pickedFile(handle: FileSystemFileHandle): Promise<Sink> {
  const stream = await handle.createWritable().catch(refused);
  return {
    write: (bytes) => stream.write(bytes).catch(refused),
    async finish() {
      await stream.close().catch(refused);
      return undefined;
    },
    discard: () => stream.abort().catch(() => undefined),
  };
}

async function privateFile(name: string): Promise<Sink> {
  // Held until this tab is gone: what has no holder is swept.
  void navigator.locks.request(LOCKS.download(name), () => new Promise<never>(() => undefined));
  const file = await createOpfsFile(name);
  let offset = 0;
  return {
    async write(bytes) {
      try {
        const writtenBytes = file.write(bytes, { at: offset });
        if (writtenBytes < bytes.length) throw new DOMException('a part was written', 'QuotaExceededError');
        offset += writtenBytes;
      } catch (error) {
        await refused(error);
      }
    },
    async finish() {
      // No flush: the file is on its way to where the person keeps it, and a crash on that way means to download it
      // again.
      file.close();
      return readOpfsFile(name);
    },
    async discard() {
      file.close();
      await removeOpfsFile(name);
    },
  };
}

/**
 * Not even an AbortError means here that somebody called the download off: Chromium has it for files that it thinks
 * unsafe.
 */
function refused(cause: unknown): Promise<never> {
  if (!(cause instanceof DOMException)) throw cause;
  if (cause.name === 'QuotaExceededError') {
    throw new HalfkeyError('device_full', 'no room for the download on this device', { cause });
  }
  throw new HalfkeyError('download_cut', `the browser refused to write: ${cause.name}`, { cause });
}
