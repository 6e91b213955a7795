import { openFloe } from './floe.ts';
import { aad, equal, prefixed, sha256, u32be, u64be, utf8, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';

const CODE = 'journal_corrupt';
const MAX_BYTES = 1024 ** 2;
const HEADER_BYTES = 128;

/** Section 11.1: a segment, taken apart; nothing of it is verified. */
export interface Segment {
  readonly epoch: number;
  readonly seq: number;
  readonly prevHash: Bytes;
  /** 16 bytes: a device's id, or zeros for the identity key. */
  readonly writer: Bytes;
  readonly signature: Bytes;
  readonly ciphertext: Bytes;
  /** SHA-256 of all bytes. */
  readonly hash: Bytes;
}

/** Section 11.1. */
export function takeApart(bytes: Uint8Array): Segment {
  demand(bytes.length > HEADER_BYTES && bytes.length <= MAX_BYTES, CODE, 'a wrong length');
  demand(equal(bytes.subarray(0, 4), utf8('HKJ1')), CODE, 'another magic');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const seq = view.getBigUint64(8);
  demand(seq <= BigInt(Number.MAX_SAFE_INTEGER), CODE, 'a seq beyond 2^53 − 1');
  const part = (start: number, end?: number): Bytes => Uint8Array.from(bytes.subarray(start, end));
  return {
    epoch: view.getUint32(4),
    seq: Number(seq),
    prevHash: part(16, 48),
    writer: part(48, 64),
    signature: part(64, 128),
    ciphertext: part(HEADER_BYTES),
    hash: sha256(bytes),
  };
}

/** Section 11.1: what the signature is over. */
export const signedBytes = (vault: string, segment: Segment): Bytes =>
  prefixed(
    'halfkey/journal/1',
    vault,
    u64be(segment.seq),
    segment.prevHash,
    u32be(segment.epoch),
    segment.writer,
    sha256(segment.ciphertext),
  );

/** Section 11.1: what is in the seal; undefined where FLOE refuses it. */
export function openPadded(journalKey: Uint8Array, vault: string, segment: Segment): Bytes | undefined {
  const context = aad('journal', vault, String(segment.seq), segment.epoch);
  try {
    return openFloe(journalKey, context, segment.ciphertext);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return undefined;
  }
}

/** Section 11.2: the sequence of operations; undefined where the padding is another. */
export function unpadded(plaintext: Bytes): Bytes | undefined {
  if (plaintext.length < 512) return undefined;
  const length = new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  let paddedLength = 512;
  while (paddedLength < 4 + length) paddedLength *= 2;
  const isPadded =
    plaintext.length === paddedLength && plaintext.subarray(4 + length).every((byte) => byte === 0);
  return isPadded ? plaintext.slice(4, 4 + length) : undefined;
}
