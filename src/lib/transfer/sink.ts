import type { Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { createOpfsFile, readOpfsFile, removeOpfsFile } from '../store/opfs.ts';

/** Where a download is written to. Nothing of it is to be had before `finish`. */
export interface Sink {
  write(bytes: Bytes): Promise<void>;
  /** @returns the file, where it lies in the origin's private file system and is still to be offered */
  finish(): Promise<File | undefined>;
  discard(): Promise<void>;
}

/** @param handle from the picker; without one, a file in OPFS named by the transfer */
export function createSink(transfer: string, handle?: FileSystemFileHandle): Promise<Sink> {
  return handle ? pickedFile(handle) : privateFile(`download-${transfer}`);
}

/** The browser writes beside the file and moves it into its place on `close`: a failure leaves the old one as it was. */
async function pickedFile(handle: FileSystemFileHandle): Promise<Sink> {
  const stream = await handle.createWritable();
  return {
    write: (bytes) => stream.write(bytes).catch(full),
    async finish() {
      await stream.close().catch(full);
      return undefined;
    },
    discard: () => stream.abort().catch(() => undefined),
  };
}

async function privateFile(name: string): Promise<Sink> {
  const file = await createOpfsFile(name);
  let offset = 0;
  return {
    async write(bytes) {
      try {
        offset += file.write(bytes, { at: offset });
      } catch (error) {
        await full(error);
      }
    },
    async finish() {
      file.flush();
      file.close();
      return readOpfsFile(name);
    },
    async discard() {
      file.close();
      await removeOpfsFile(name);
    },
  };
}

function full(cause: unknown): Promise<never> {
  if (cause instanceof DOMException && cause.name === 'QuotaExceededError') {
    throw new HalfkeyError('device_full', 'no room for the download on this device', { cause });
  }
  throw cause;
}
