import { concat, sha256, u32be, utf8, type Bytes } from '../../reader/primitives.ts';

/**
 * Bytes that depend on nothing but the label: what is random elsewhere is this here, so that the vectors are the same
 * each time.
 */
export function bytesOf(label: string, sizeBytes: number): Bytes {
  const blocks = Array.from({ length: Math.ceil(sizeBytes / 32) }, (_, index) =>
    sha256(concat(u32be(index), utf8(label))),
  );
  return concat(...blocks).slice(0, sizeBytes);
}

/** An id that can be read in hex: up to 8 letters and a number. */
export function idOf(kind: string, number: number): string {
  const bytes = new Uint8Array(16);
  bytes.set(utf8(kind).subarray(0, 8));
  new DataView(bytes.buffer).setUint32(12, number);
  return Buffer.from(bytes).toString('base64url');
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
export const filled = (value: number, sizeBytes = 32): Bytes => new Uint8Array(sizeBytes).fill(value);

/** The bytes with one bit changed. */
export function flipped(bytes: Uint8Array, at: number, mask = 1): Bytes {
  const changed = Uint8Array.from(bytes);
  const index = at < 0 ? changed.length + at : at;
  changed[index] = (changed[index] ?? 0) ^ mask;
  return changed;
}
