import { concat, u32be, type Bytes } from '../bytes.ts';

/**
 * Bytes of content in every record and draft: the longest name and media type fit, so that none of them shows in a
 * size.
 */
export const CONTENT_BYTES = 1024;
const LENGTH_BYTES = 4;

/** Length (u32be), content, zeros. @throws {RangeError} when it is longer than 1,020 bytes */
export function paddedContent(content: Uint8Array): Bytes {
  const zeros = CONTENT_BYTES - LENGTH_BYTES - content.length;
  if (zeros < 0) throw new RangeError(`expected 1,020 bytes at most, got ${String(content.length)}`);
  return concat(u32be(content.length), content, new Uint8Array(zeros));
}

/** @returns undefined when these are not the bytes that `paddedContent` gives for something */
export function unpaddedContent(bytes: Bytes): Bytes | undefined {
  if (bytes.length !== CONTENT_BYTES) return undefined;
  const end = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (end > CONTENT_BYTES || !bytes.subarray(end).every((byte) => byte === 0)) return undefined;
  return bytes.subarray(LENGTH_BYTES, end);
}
