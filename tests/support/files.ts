import { createHash, randomBytes } from 'node:crypto';
import { closeSync, createReadStream, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

const BLOCK_BYTES = 4 * 1024 ** 2;

/**
 * A file of random bytes, written block by block: it may be larger than memory.
 * @param sizeBytes a multiple of 4 MiB
 * @returns the SHA-256 of what was written, in hex
 */
export function writeRandomFile(path: string, sizeBytes: number): string {
  const digest = createHash('sha256');
  const file = openSync(path, 'w');
  for (let written = 0; written < sizeBytes; written += BLOCK_BYTES) {
    const bytes = randomBytes(BLOCK_BYTES);
    digest.update(bytes);
    writeSync(file, bytes);
  }
  closeSync(file);
  return digest.digest('hex');
}

/** A file of so many bytes, filled with nothing. @returns its path */
export function writeEmptyFile(path: string, sizeBytes: number): string {
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
  return path;
}

/** A text, as a file that a browser is given without a disk. */
export function textFile(name: string, text: string): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
}

/** The SHA-256 of a file, in hex. */
export async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path), digest);
  return digest.digest('hex');
}
