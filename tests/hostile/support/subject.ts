import { concat, equalBytes, type Bytes } from '../../../src/lib/bytes.ts';
import { HEADER_BYTES, SEGMENT_BYTES } from '../../../src/lib/crypto/floe.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { readContent } from '../../../src/lib/transfer/download/opening.ts';
import type { Interference, PassingRequest } from '../../support/relay.ts';
import type { Client, Sent } from './client.ts';
import { readsBlob, serving } from './hostile-s3.ts';

/** A file in the drive, and its ciphertext as it is stored in S3. */
export interface Subject {
  readonly file: string;
  readonly sent: Sent;
  readonly content: Bytes;
  readonly sealed: Bytes;
}

/** Uploads content, and reads it back once while everybody is honest: otherwise a refusal would say nothing. */
export async function newSubject(client: Client, name: string, content: Bytes): Promise<Subject> {
  const { file, sent } = await client.upload(name, content);
  const { bytes: sealed } = await client.download(file, 'sealed');
  if (!equalBytes(await client.read(file), content)) throw new Error('expected the content that went up');
  return { file, sent, content, sealed };
}

/** The ciphertext's segments, without the header before them. */
export function segmentsOf(sealed: Bytes): Bytes[] {
  const segments: Bytes[] = [];
  for (let offset = HEADER_BYTES; offset < sealed.length; offset += SEGMENT_BYTES) {
    segments.push(sealed.subarray(offset, offset + SEGMENT_BYTES));
  }
  return segments;
}

/**
 * Downloads while S3 serves other bytes in the subject's place.
 * @param serve what it answers; the bytes in the range that was asked for when absent
 * @returns what was given out, and the code that the download failed with
 */
export async function downloadServed(
  client: Client,
  { file, sent }: Pick<Subject, 'file' | 'sent'>,
  bytes: Bytes,
  serve: (bytes: Bytes, request: PassingRequest) => Interference = serving,
): Promise<{ bytes: Bytes; error?: string }> {
  const { store } = client.world;
  store.hook = (request) => (readsBlob(request, sent.blob) ? serve(bytes, request) : undefined);
  try {
    return await client.download(file);
  } finally {
    store.behave();
  }
}

/** The same without the release before it: for the rows with thousands of variants. */
export async function readServed(
  client: Client,
  { file, sent }: Pick<Subject, 'file' | 'sent'>,
  bytes: Bytes,
): Promise<{ bytes: Bytes; error?: string }> {
  const { store } = client.world;
  const version = client.journal.state.newestVersion(file);
  if (!version) throw new Error('expected the file in the journal');
  store.hook = (request) => (readsBlob(request, sent.blob) ? serving(bytes, request) : undefined);
  const pieces: Bytes[] = [];
  try {
    const stored = { ...version, blob: sent.blob };
    const signal = new AbortController().signal;
    for await (const piece of readContent(client.openVault, stored, sent.contentKey, signal))
      pieces.push(piece);
    return { bytes: concat(...pieces) };
  } catch (error) {
    if (!(error instanceof HalfkeyError)) throw error;
    return { bytes: concat(...pieces), error: error.code };
  } finally {
    store.behave();
  }
}

/** One bit of a copy turned over; bit 0 is the lowest of byte 0. */
export function flipped(bytes: Bytes, bit: number): Bytes {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** A small generator with a seed, so that each run tries the same (mulberry32). @returns numbers from 0 to below 1 */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
