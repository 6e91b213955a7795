import type { FileHandle } from 'node:fs/promises';
import type { BodyDigests } from './body-digests.ts';
import type { BodyFile, BodyFiles, OpenBody } from './body-files.ts';

/** A body that has arrived whole: in memory when small, else in a synced file that no record names yet. */
export type SpooledBody =
  | { readonly sizeBytes: number; readonly inline: Uint8Array; readonly file: undefined }
  | { readonly sizeBytes: number; readonly inline: undefined; readonly file: BodyFile };

/** Bytes gathered before they are written: few calls, little memory. */
const WRITE_BYTES = 1024 * 1024;

/**
 * Takes a body off the network: digests it, and writes it to a file as soon as it is longer than `inlineBytes` (−1:
 * always). Memory stays at a few MiB whatever the size, because the source is read only as fast as the disk takes it.
 * Leaves no file when the source or the disk fails.
 */
export async function spool(
  source: AsyncIterable<Uint8Array>,
  files: BodyFiles,
  digests: BodyDigests,
  inlineBytes: number,
): Promise<SpooledBody> {
  let body: OpenBody | undefined;
  let sizeBytes = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let writing = Promise.resolve();
  try {
    for await (const bytes of source) {
      sizeBytes += bytes.length;
      gatheredBytes += bytes.length;
      gathered.push(bytes);
      if (sizeBytes > inlineBytes && gatheredBytes >= WRITE_BYTES) {
        body ??= await files.create();
        await writing;
        writing = writeFully(body.handle, gathered);
        // Awaited at the next turn; until then a failure must not count as unhandled.
        writing.catch(() => undefined);
        gathered = [];
        gatheredBytes = 0;
      }
      digests.update(bytes);
    }
    await writing;
    if (sizeBytes <= inlineBytes) return { sizeBytes, inline: Buffer.concat(gathered), file: undefined };
    body ??= await files.create();
    await writeFully(body.handle, gathered);
    await files.seal(body);
    return { sizeBytes, inline: undefined, file: { id: body.id, sizeBytes } };
  } catch (error) {
    await writing.catch(() => undefined);
    if (body) await files.discard(body);
    throw error;
  }
}

async function writeFully(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  if (chunks.length === 0) return;
  const totalBytes = chunks.reduce((sum, { length }) => sum + length, 0);
  let { bytesWritten } = await handle.writev(chunks);
  if (bytesWritten === totalBytes) return;
  // A short write: the disk is nearly full, and the next write says so.
  const all = Buffer.concat(chunks);
  while (bytesWritten < totalBytes) bytesWritten += (await handle.write(all, bytesWritten)).bytesWritten;
}
