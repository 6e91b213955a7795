import { concat, release, u32be, u64be, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import {
  deriveKeys,
  encodeParameters,
  MAX_SEGMENTS,
  type FloeKey,
  type FloeParameters,
} from './floe-keys.ts';
import { randomBytes } from './random.ts';

export type { FloeKey, FloeParameters };

/** Bytes of a whole segment of ciphertext: what FLOE calls ENC_SEG_LEN. */
export const SEGMENT_BYTES = 524_288;
/** Bytes of plaintext in a whole segment. */
export const SEGMENT_PLAINTEXT_BYTES = 524_256;
/** Bytes before the first segment: parameters, IV and header tag. */
export const HEADER_BYTES = 74;

const IV_BYTES = 32;
const NONCE_BYTES = 12;
const LENGTH_BYTES = 4; // What stands before the nonce: the mark of an inner segment, or the last one's length.
const SEGMENT_OVERHEAD_BYTES = 32; // Length, nonce and GCM's tag of 16 bytes.
const BODY_OFFSET = LENGTH_BYTES + NONCE_BYTES;
const NOT_LAST = 0xffffffff;

const DEFAULT_PARAMETERS: FloeParameters = { segmentBytes: SEGMENT_BYTES };

/**
 * Seals the segments of one ciphertext, in any order, and one of them again if need be: each time under a fresh nonce.
 */
export interface Sealer {
  /** The 74 bytes that stand before the first segment. */
  readonly header: Bytes;
  /**
   * One segment as it stands in the ciphertext.
   * @param plaintext a whole segment's; of the last segment, any length up to that, 0 included
   * @throws {RangeError} when the index or the length does not fit
   */
  sealSegment(segmentIndex: number, plaintext: Uint8Array, last: boolean): Promise<Bytes>;
  /**
   * The same, written to where it belongs: much the faster one when the target is a buffer that is used again and
   * again.
   * @param target exactly the plaintext's length and 32 bytes
   */
  sealSegmentInto(segmentIndex: number, plaintext: Uint8Array, last: boolean, target: Bytes): Promise<void>;
}

/** Opens the segments of one ciphertext, in any order. */
export interface Opener {
  /**
   * The plaintext of one segment.
   * @param last whether the segment is the last one, by what the caller knows (the journal's pinned length), not by the
   *   bytes
   * @throws {HalfkeyError} `segment_corrupt`; `ciphertext_truncated` or `ciphertext_overlong` when the ciphertext ends
   *   later or earlier than the caller says; each with the index
   */
  openSegment(segmentIndex: number, bytes: Uint8Array, last: boolean): Promise<Bytes>;
}

/** Bytes of the ciphertext of so many bytes. @throws {RangeError} when that is not an integer from 0, or too large */
export function sealedSize(plaintextBytes: number, parameters = DEFAULT_PARAMETERS): number {
  const count = countSegments(plaintextBytes, parameters);
  return HEADER_BYTES + plaintextBytes + count * SEGMENT_OVERHEAD_BYTES;
}

/**
 * Bytes of plaintext in a ciphertext of so many bytes.
 * @throws {HalfkeyError} `ciphertext_truncated` when no ciphertext has that size
 */
export function plaintextSize(sealedBytes: number, { segmentBytes } = DEFAULT_PARAMETERS): number {
  const bodyBytes = sealedBytes - HEADER_BYTES;
  const count = Math.ceil(bodyBytes / segmentBytes);
  const lastBytes = bodyBytes - (count - 1) * segmentBytes;
  if (!Number.isSafeInteger(sealedBytes) || count < 1 || lastBytes < SEGMENT_OVERHEAD_BYTES) {
    throw new HalfkeyError('ciphertext_truncated', `no ciphertext is ${String(sealedBytes)} bytes long`);
  }
  return bodyBytes - count * SEGMENT_OVERHEAD_BYTES;
}

/** Segments of the ciphertext of so many bytes: one at least. @throws {RangeError} as `sealedSize` */
export function segmentCount(plaintextBytes: number): number {
  return countSegments(plaintextBytes, DEFAULT_PARAMETERS);
}

/**
 * Begins a ciphertext: a fresh IV and, from it, the keys (FLOE, startEncryption).
 *
 * @param options.random where IV (32 bytes, first) and nonces (12 bytes each) come from: a seam for known answers only
 * @param options.header of a ciphertext that was begun with this key and AAD, to go on with it: it keeps its IV, and
 *   each segment gets a fresh nonce all the same
 * @throws {RangeError} when the key is not 32 bytes long
 * @throws {HalfkeyError} `key_mismatch` for a header that is not of this key and AAD
 */
export async function createSealer(
  key: FloeKey,
  aad: Bytes,
  options: { parameters?: FloeParameters; random?: (sizeBytes: number) => Bytes; header?: Bytes } = {},
): Promise<Sealer> {
  const { parameters = DEFAULT_PARAMETERS, random = randomBytes, header } = options;
  const ivOffset = encodeParameters(parameters).length;
  const iv = header ? header.slice(ivOffset, ivOffset + IV_BYTES) : random(IV_BYTES);
  const keys = await deriveKeys(key, aad, iv, parameters);
  if (header && !equalInConstantTime(header, keys.header)) {
    throw new HalfkeyError('key_mismatch', 'the header is not of this key and its context');
  }

  async function sealSegmentInto(
    segmentIndex: number,
    plaintext: Uint8Array,
    last: boolean,
    target: Bytes,
  ): Promise<void> {
    const sizeBytes = plaintext.length + SEGMENT_OVERHEAD_BYTES;
    const fits = last ? sizeBytes <= parameters.segmentBytes : sizeBytes === parameters.segmentBytes;
    if (!fits || target.length !== sizeBytes) {
      throw new RangeError(
        `segment of ${String(sizeBytes)} bytes for ${String(target.length)} of ${String(parameters.segmentBytes)}`,
      );
    }
    const dek = await keys.segmentKey(segmentIndex);
    const iv = random(NONCE_BYTES);
    const algorithm = { name: 'AES-GCM', iv, additionalData: segmentAad(segmentIndex, last) };
    const body = new Uint8Array(await crypto.subtle.encrypt(algorithm, dek, unshared(plaintext)));
    target.set(u32be(last ? sizeBytes : NOT_LAST));
    target.set(iv, LENGTH_BYTES);
    target.set(body, BODY_OFFSET);
    release(body); // The next output goes to warm memory then: several times the speed in Chromium.
  }

  return {
    header: keys.header,
    sealSegmentInto,
    async sealSegment(segmentIndex, plaintext, last) {
      const target = new Uint8Array(plaintext.length + SEGMENT_OVERHEAD_BYTES);
      await sealSegmentInto(segmentIndex, plaintext, last, target);
      return target;
    },
  };
}

/**
 * Begins to open a ciphertext (FLOE, startDecryption): nothing of it is read before its header is known to be of this
 * key and AAD.
 *
 * @param header the first 74 bytes
 * @throws {HalfkeyError} `format_malformed` for other parameters than the expected ones, `key_mismatch` when the header
 *   is of another key or AAD, or damaged; `ciphertext_truncated` / `ciphertext_overlong` when it is not 74 bytes long
 */
export async function createOpener(
  key: FloeKey,
  aad: Bytes,
  header: Uint8Array,
  options: { parameters?: FloeParameters } = {},
): Promise<Opener> {
  const { parameters = DEFAULT_PARAMETERS } = options;
  const expected = encodeParameters(parameters);
  if (header.length !== HEADER_BYTES) {
    const code = header.length < HEADER_BYTES ? 'ciphertext_truncated' : 'ciphertext_overlong';
    throw new HalfkeyError(code, `expected a header of 74 bytes, got ${String(header.length)}`);
  }
  if (!equalInConstantTime(header.subarray(0, expected.length), expected)) {
    throw new HalfkeyError('format_malformed', 'the header names other parameters');
  }
  const iv = header.slice(expected.length, expected.length + IV_BYTES);
  const keys = await deriveKeys(key, aad, iv, parameters);
  if (!equalInConstantTime(header, keys.header)) {
    throw new HalfkeyError('key_mismatch', 'the header is not of this key and its context');
  }

  return {
    async openSegment(segmentIndex, bytes, last) {
      checkFrame(segmentIndex, bytes, last, parameters);
      const dek = await keys.segmentKey(segmentIndex);
      const segment = unshared(bytes);
      const iv = segment.subarray(LENGTH_BYTES, BODY_OFFSET);
      const algorithm = { name: 'AES-GCM', iv, additionalData: segmentAad(segmentIndex, last) };
      try {
        return new Uint8Array(await crypto.subtle.decrypt(algorithm, dek, segment.subarray(BODY_OFFSET)));
      } catch {
        throw segmentError('segment_corrupt', 'the segment fails its tag', segmentIndex);
      }
    },
  };
}

/** Seals small things at once. @throws {RangeError} when the key is not 32 bytes long */
export async function seal(key: FloeKey, aad: Bytes, plaintext: Uint8Array): Promise<Bytes> {
  const sealer = await createSealer(key, aad);
  const sealed = new Uint8Array(sealedSize(plaintext.length));
  sealed.set(sealer.header);
  const count = segmentCount(plaintext.length);
  for (let segmentIndex = 0; segmentIndex < count; segmentIndex++) {
    const start = segmentIndex * SEGMENT_PLAINTEXT_BYTES;
    const piece = plaintext.subarray(start, start + SEGMENT_PLAINTEXT_BYTES);
    const offset = HEADER_BYTES + segmentIndex * SEGMENT_BYTES;
    const target = sealed.subarray(offset, offset + piece.length + SEGMENT_OVERHEAD_BYTES);
    await sealer.sealSegmentInto(segmentIndex, piece, segmentIndex === count - 1, target);
  }
  return sealed;
}

/**
 * Opens small things at once: all of the plaintext or none.
 * @throws {HalfkeyError} as `createOpener` and `openSegment` do
 */
export async function open(key: FloeKey, aad: Bytes, sealed: Uint8Array): Promise<Bytes> {
  const opener = await createOpener(key, aad, sealed.subarray(0, HEADER_BYTES));
  const pieces: Bytes[] = [];
  const bodyBytes = sealed.length - HEADER_BYTES;
  // A ciphertext that ends after its header lacks its last segment: the loop finds an empty one.
  const count = Math.max(1, Math.ceil(bodyBytes / SEGMENT_BYTES));
  for (let segmentIndex = 0; segmentIndex < count; segmentIndex++) {
    const offset = HEADER_BYTES + segmentIndex * SEGMENT_BYTES;
    const bytes = sealed.subarray(offset, offset + SEGMENT_BYTES);
    pieces.push(await opener.openSegment(segmentIndex, bytes, segmentIndex === count - 1));
  }
  return pieces.length === 1 && pieces[0] ? pieces[0] : concat(...pieces);
}

function segmentAad(segmentIndex: number, last: boolean): Bytes {
  return concat(u64be(segmentIndex), Uint8Array.of(last ? 1 : 0));
}

function countSegments(plaintextBytes: number, { segmentBytes }: FloeParameters): number {
  const count = Math.max(1, Math.ceil(plaintextBytes / (segmentBytes - SEGMENT_OVERHEAD_BYTES)));
  if (!Number.isSafeInteger(plaintextBytes) || plaintextBytes < 0 || count > MAX_SEGMENTS) {
    throw new RangeError(`expected a size in bytes, got ${String(plaintextBytes)}`);
  }
  return count;
}

/**
 * The marks before a segment are not authenticated by themselves: they only tell kinds of damage apart, before GCM
 * judges.
 */
function checkFrame(
  segmentIndex: number,
  bytes: Uint8Array,
  last: boolean,
  { segmentBytes }: FloeParameters,
): void {
  const expectedBytes = last ? SEGMENT_OVERHEAD_BYTES : segmentBytes;
  if (bytes.length < expectedBytes) {
    throw segmentError('ciphertext_truncated', `the segment has ${String(bytes.length)} bytes`, segmentIndex);
  }
  if (bytes.length > segmentBytes) {
    throw segmentError('ciphertext_overlong', `the segment has ${String(bytes.length)} bytes`, segmentIndex);
  }
  const mark = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (mark === (last ? bytes.length : NOT_LAST)) return;
  if (mark === NOT_LAST || (last && mark > bytes.length && mark <= segmentBytes)) {
    throw segmentError('ciphertext_truncated', 'the ciphertext goes on beyond its end', segmentIndex);
  }
  if (mark >= SEGMENT_OVERHEAD_BYTES && mark <= segmentBytes) {
    throw segmentError('ciphertext_overlong', 'the ciphertext ends before its end', segmentIndex);
  }
  throw segmentError('segment_corrupt', 'the segment has an impossible length', segmentIndex);
}

function segmentError(
  code: 'segment_corrupt' | 'ciphertext_truncated' | 'ciphertext_overlong',
  message: string,
  segmentIndex: number,
): HalfkeyError {
  return new HalfkeyError(code, message, { detail: { segmentIndex } });
}

/** Leaves no trace in time of where two arrays differ. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

/** The same bytes; a copy only where another thread could change them, which WebCrypto refuses. */
function unshared(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}
