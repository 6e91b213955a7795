/** Bytes that WebCrypto takes as they are: never backed by shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
// U+FEFF is a character like any other: a name may begin with it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 (RFC 3629) of a text; lone surrogates become U+FFFD. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** @throws {TypeError} when the bytes are not UTF-8 */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** One array after the other, in a buffer of their own. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += part.length;
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Big-endian, 4 bytes. @throws {RangeError} unless 0 ≤ value < 2^32 */
export function u32be(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`expected an unsigned 32-bit integer, got ${String(value)}`);
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Big-endian, 8 bytes. @throws {RangeError} unless 0 ≤ value ≤ 2^53 − 1 */
export function u64be(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected an unsigned integer up to 2^53 − 1, got ${String(value)}`);
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/**
 * Each field preceded by its length (u32be), so that no two lists of fields give the same bytes.
 * Texts are taken as UTF-8.
 */
export function lengthPrefixed(...fields: readonly (string | Uint8Array)[]): Bytes {
  return concat(
    ...fields.flatMap((field) => {
      const bytes = typeof field === 'string' ? utf8(field) : field;
      return [u32be(bytes.length), bytes];
    }),
  );
}

/** Equal length and content. Not in constant time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const CHUNK_BYTES = 0x8000; // String.fromCharCode takes its arguments on the stack.

/** Base64 with padding (RFC 4648 §4), as S3's checksum headers want it. */
export function toB64(bytes: Uint8Array): string {
  let binary = '';
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(offset, offset + CHUNK_BYTES));
  }
  return btoa(binary);
}

/** @throws {TypeError} when the text is not canonical base64 with padding */
function fromB64(text: string): Bytes {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new TypeError('expected base64');
  }
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  if (toB64(bytes) !== text) throw new TypeError('expected canonical base64');
  return bytes;
}

/** Base64url without padding (RFC 4648 §5): ids, and bytes in JSON. */
export function toB64Url(bytes: Uint8Array): string {
  return toB64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @throws {TypeError} when the text is not canonical base64url without padding */
export function fromB64Url(text: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new TypeError('expected base64url');
  const padding = '='.repeat((4 - (text.length % 4)) % 4);
  return fromB64(text.replaceAll('-', '+').replaceAll('_', '/') + padding);
}

/** Nobody holds its other end, so what is transferred there is gone. */
const nowhere = (() => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
})();

/**
 * Gives the memory behind the bytes back at once; they, and all that share their buffer, are empty afterwards.
 * Collecting garbage would get there too, but later than the next parts of a large file come, and memory that was just
 * used is faster: what is worked on in megabytes is released by hand. (`ArrayBuffer.prototype.transfer` is not a way to
 * do it: Chromium then counts less garbage, and still keeps what WebCrypto, a Blob or a stream has touched.)
 */
export function release({ buffer }: Bytes): void {
  nowhere.postMessage(undefined, [buffer]);
}
