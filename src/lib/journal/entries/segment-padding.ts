import { concat, u32be, type Bytes } from '../../bytes.ts';

const UNIT_BYTES = 512;
const LENGTH_BYTES = 4;

/** Bytes that `padded` takes at most: with its seal and head it stays below the broker's limit of 1 MiB. */
const MAX_PADDED_BYTES = 512 * 1024;
/** Bytes of operations in one segment. */
export const MAX_SEQUENCE_BYTES = MAX_PADDED_BYTES - LENGTH_BYTES;

/** Length (u32be), content, zeros: up to the next 512 · 2^k bytes, so that the size of an edit says little about it. */
export function padded(content: Uint8Array): Bytes {
  let sizeBytes = UNIT_BYTES;
  while (sizeBytes < LENGTH_BYTES + content.length) sizeBytes *= 2;
  const zeros = new Uint8Array(sizeBytes - LENGTH_BYTES - content.length);
  return concat(u32be(content.length), content, zeros);
}

/** @returns the content; undefined when these are not the bytes that `padded` gives for it */
export function unpadded(bytes: Bytes): Bytes | undefined {
  if (bytes.length < UNIT_BYTES) return undefined;
  const sizeBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const end = LENGTH_BYTES + sizeBytes;
  const isTight = bytes.length === UNIT_BYTES || end > bytes.length / 2;
  const isWhole = Number.isInteger(Math.log2(bytes.length / UNIT_BYTES));
  if (end > bytes.length || !isTight || !isWhole) return undefined;
  return bytes.subarray(end).every((byte) => byte === 0) ? bytes.subarray(LENGTH_BYTES, end) : undefined;
}
