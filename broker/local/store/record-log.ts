import { readSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile, syncFolder } from './durable.ts';
import { encodeRecord, MAXIMUM_BATCH_BYTES, scanRecords, type Extent } from './record-format.ts';

/** A record that is still wanted, for compaction. */
export interface LiveRecord {
  readonly meta: object;
  readonly extent: Extent | undefined;
}

interface Pending {
  readonly head: Buffer;
  readonly body: Uint8Array | undefined;
  readonly apply: (extent: Extent | undefined) => void;
  readonly done: (error?: Error) => void;
}

/**
 * An append-only file of records: a small JSON each, and optionally a body. One write and one fdatasync commit a
 * whole batch of those that waited, so that many small objects cost a fraction of a sync each; one file is also read
 * faster at start than 10^5 small ones. What was appended is applied in the file's own order.
 */
export class RecordLog {
  readonly #path: string;
  #file: FileHandle;
  #sizeBytes: number;
  #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #compaction: (() => Iterable<LiveRecord>) | undefined;
  #broken: Error | undefined;

  private constructor(path: string, file: FileHandle, sizeBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /**
   * Opens the log, creating it, and hands every record to `onRecord` in order. A torn end, of which nothing was
   * acknowledged, is cut off, and kept beside it as `.torn`.
   * @throws {Error} when a record is damaged further back than a torn write can reach, or another one is whole after it
   */
  static async open(
    path: string,
    onRecord: (meta: unknown, extent: Extent | undefined) => void,
  ): Promise<RecordLog> {
    await rm(`${path}.new`, { force: true });
    await (await open(path, 'a', 0o600)).close();
    await syncFolder(dirname(path));
    const file = await open(path, 'r+');
    try {
      const endBytes = scanRecords(file.fd, onRecord);
      await cutOff(file, endBytes, `${path}.torn`);
      return new RecordLog(path, file, endBytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Length of the file in bytes, with what is no longer wanted. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Stores a record; `apply` runs once it is on the disk, before any later record's. Rejects when it was not stored:
   * then no trace of it is left.
   */
  append(
    meta: object,
    body: Uint8Array | undefined,
    apply: (extent: Extent | undefined) => void,
  ): Promise<void> {
    const head = encodeRecord(meta, body);
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => {
        if (error) reject(error);
        else resolve();
      };
      this.#queue.push({ head, body, apply, done });
      this.#start();
    });
  }

  /**
   * Reads a record's body whole, and at once: bodies in the log are small, and to hand a read to another thread takes a
   * hundred times as long as one out of the kernel's cache. So a compaction cannot swap the file meanwhile either.
   */
  read({ position, sizeBytes }: Extent): Buffer<ArrayBuffer> {
    const bytes = Buffer.alloc(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const bytesRead = readSync(this.#file.fd, bytes, filled, sizeBytes - filled, position + filled);
      if (bytesRead === 0) throw new Error(`log ended ${String(sizeBytes - filled)} bytes too early`);
      filled += bytesRead;
    }
    return bytes;
  }

  /** Rewrites the log with the records that `live` names when the writer gets to it; appends wait meanwhile. */
  compact(live: () => Iterable<LiveRecord>): void {
    this.#compaction = live;
    this.#start();
  }

  /** Waits for what was appended, then closes the file. */
  async close(): Promise<void> {
    while (this.#running) await this.#running;
    await this.#file.close();
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#queue.length > 0 || this.#compaction) this.#start();
    });
  }

  async #run(): Promise<void> {
    // Lets requests that arrived together share one sync.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      let batchBytes = 0;
      let count = 0;
      for (const { head, body } of this.#queue) {
        const recordBytes = head.length + (body?.length ?? 0);
        if (count > 0 && batchBytes + recordBytes > MAXIMUM_BATCH_BYTES) break;
        batchBytes += recordBytes;
        count++;
      }
      await this.#commit(this.#queue.splice(0, count), batchBytes);
    }
    const live = this.#compaction;
    this.#compaction = undefined;
    if (live && !this.#broken) await this.#rewrite(live());
  }

  async #commit(batch: readonly Pending[], batchBytes: number): Promise<void> {
    try {
      if (this.#broken) throw this.#broken;
      const pieces = batch.flatMap(({ head, body }) => (body ? [head, body] : [head]));
      await this.#write(Buffer.concat(pieces, batchBytes));
    } catch (error) {
      for (const { done } of batch) done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    let position = this.#sizeBytes;
    this.#sizeBytes += batchBytes;
    for (const { head, body, apply, done } of batch) {
      const bodyPosition = position + head.length;
      apply(body && { position: bodyPosition, sizeBytes: body.length });
      done();
      position = bodyPosition + (body?.length ?? 0);
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      await writeFully(this.#file, bytes, this.#sizeBytes);
    } catch (error) {
      // A full disk: take back the part that was written. If even that fails, write no more, the next start cuts it
      // off.
      await this.#file.truncate(this.#sizeBytes).catch((fault: unknown) => {
        this.#break(fault);
      });
      throw error;
    }
    try {
      await this.#file.datasync();
    } catch (error) {
      // After a failed sync there is no telling what is on the disk: the kernel forgets the pages.
      this.#break(error);
      throw error;
    }
  }

  #break(cause: unknown): void {
    this.#broken = new Error('the log could not be synced; restart the local cloud', { cause });
  }

  async #rewrite(live: Iterable<LiveRecord>): Promise<void> {
    const temporary = `${this.#path}.new`;
    const moved: [Extent, number][] = [];
    let position = 0;
    const next = await open(temporary, 'w+', 0o600).catch(() => undefined);
    if (!next) return;
    try {
      for (const { meta, extent } of live) {
        const body = extent && this.read(extent);
        const head = encodeRecord(meta, body);
        await writeFully(next, body ? Buffer.concat([head, body]) : head, position);
        if (extent) moved.push([extent, position + head.length]);
        position += head.length + (body?.length ?? 0);
      }
      await next.sync();
      await rename(temporary, this.#path);
    } catch {
      // Compaction only saves room: on a full disk the log goes on as it is.
      await next.close();
      await rm(temporary, { force: true });
      return;
    }
    const old = this.#file;
    this.#file = next;
    this.#sizeBytes = position;
    for (const [extent, newPosition] of moved) extent.position = newPosition;
    await old.close();
    // Until the name is synced, a power cut would bring back the old file without what follows.
    await syncFolder(dirname(this.#path)).catch((fault: unknown) => {
      this.#break(fault);
    });
  }
}

async function cutOff(file: FileHandle, endBytes: number, keptAs: string): Promise<void> {
  const { size } = await file.stat();
  if (size === endBytes) return;
  const torn = Buffer.alloc(size - endBytes);
  await file.read(torn, 0, torn.length, endBytes);
  await replaceFile(keptAs, torn);
  await file.truncate(endBytes);
  await file.datasync();
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
