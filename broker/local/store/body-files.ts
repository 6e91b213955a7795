import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './durable.ts';

/** A body, or a part of one, in a file of its own. */
export interface BodyFile {
  readonly id: string;
  readonly sizeBytes: number;
}

/** A body file, and whose it is. */
export interface NamedBody {
  readonly key: string;
  readonly sizeBytes: number;
}

/** A body file that is being written. It counts for nothing until a record of the log names it. */
export interface OpenBody {
  readonly id: string;
  readonly handle: FileHandle;
}

const READ_BYTES = 1024 * 1024;

type BufferPair = [Buffer, Buffer];

/**
 * The folder of bodies that are too big for the log. A file's name is random and says nothing about the key; it is
 * reachable only once a record names it, so the record is what renames it into being, and a file without one is what
 * a crash left behind.
 */
export class BodyFiles {
  readonly #folder: string;
  readonly #pins = new Map<string, number>();
  readonly #doomed = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<BodyFiles> {
    await mkdir(folder, { recursive: true });
    await syncFolder(join(folder, '..'));
    return new BodyFiles(folder);
  }

  /**
   * Removes every file that no record names. Only before the first request.
   * @returns what a record names and is not there whole
   */
  async sweep(wanted: ReadonlyMap<string, NamedBody>): Promise<NamedBody[]> {
    const whole = new Set<string>();
    for (const name of await readdir(this.#folder)) {
      const body = wanted.get(name);
      if (!body) await this.#unlink(name);
      // At once: of a hundred thousand files each would take a turn of the loop.
      else if (statSync(join(this.#folder, name)).size >= body.sizeBytes) whole.add(name);
    }
    return [...wanted].filter(([id]) => !whole.has(id)).map(([, body]) => body);
  }

  async create(): Promise<OpenBody> {
    const id = randomBytes(16).toString('hex');
    return { id, handle: await open(join(this.#folder, id), 'wx', 0o600) };
  }

  /** Makes content and name survive a power cut. */
  async seal({ handle }: OpenBody): Promise<void> {
    await handle.datasync();
    await handle.close();
    await syncFolder(this.#folder);
  }

  /** Takes an unfinished file away. */
  async discard({ id, handle }: OpenBody): Promise<void> {
    await handle.close().catch(() => undefined);
    await this.#unlink(id);
  }

  /** Removes files, once they are not read any more. */
  async remove(files: readonly BodyFile[]): Promise<void> {
    for (const { id } of files) {
      if (this.#pins.has(id)) this.#doomed.add(id);
      else await this.#unlink(id);
    }
  }

  /** Keeps files from being removed until the answer is called. */
  pin(files: readonly BodyFile[]): () => Promise<void> {
    for (const { id } of files) this.#pins.set(id, (this.#pins.get(id) ?? 0) + 1);
    return async () => {
      for (const { id } of files) {
        const left = (this.#pins.get(id) ?? 1) - 1;
        if (left > 0) this.#pins.set(id, left);
        else {
          this.#pins.delete(id);
          if (this.#doomed.delete(id)) await this.#unlink(id);
        }
      }
    };
  }

  /**
   * Yields bytes `start` to `end` (exclusive) of the files laid end to end, in runs of at most 1 MiB. Two buffers take
   * turns, for the garbage collector's sake: a run may be used until the next but one is asked for.
   */
  async *read(files: readonly BodyFile[], start: number, end: number): AsyncGenerator<Buffer> {
    const size = Math.max(Math.min(READ_BYTES, end - start), 0);
    const buffers: BufferPair = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
    let fileStart = 0;
    for (const { id, sizeBytes } of files) {
      const from = Math.max(start - fileStart, 0);
      const to = Math.min(end - fileStart, sizeBytes);
      if (from < to) yield* this.#readFile(id, from, to, buffers);
      fileStart += sizeBytes;
      if (fileStart >= end) return;
    }
  }

  async *#readFile(id: string, from: number, to: number, buffers: BufferPair): AsyncGenerator<Buffer> {
    const handle = await open(join(this.#folder, id), 'r');
    try {
      let position = from;
      while (position < to) {
        const [buffer] = buffers;
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - position), position);
        if (bytesRead === 0) throw new Error(`body file ended ${String(to - position)} bytes too early`);
        buffers.reverse();
        yield buffer.subarray(0, bytesRead);
        position += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }

  async #unlink(id: string): Promise<void> {
    await rm(join(this.#folder, id), { force: true });
  }
}
