import { concat, u32be, u64be, utf8, type Bytes } from '../bytes.ts';
import { wipeAtEnd } from './wipe.ts';

const KEY_BYTES = 32;
const IV_BYTES = 32;
const MESSAGE_KEY_BYTES = 48;
const HEADER_TAG_BYTES = 32;
const ROTATION_BITS = 20;
/** The spec's bound for AES-256-GCM. */
export const MAX_SEGMENTS = 2 ** 40;
const AES_256_GCM_AND_SHA_384 = Uint8Array.of(0, 0);
const HMAC_SHA_384 = { name: 'HMAC', hash: 'SHA-384' } as const;

/** 32 bytes, or a non-extractable HMAC-SHA-384 key made of 32 bytes (what is stored in IndexedDB). */
export type FloeKey = Bytes | CryptoKey;

/**
 * FLOE's parameters beyond the algorithms; Halfkey writes the default ones only, the others exist for the published
 * vectors.
 */
export interface FloeParameters {
  /** ENC_SEG_LEN: bytes of a whole segment of ciphertext, more than 32. */
  readonly segmentBytes: number;
  /** A new segment key each 2^rotationBits segments; 20 when absent. */
  readonly rotationBits?: number;
}

/** What key, AAD and IV of one ciphertext give. */
interface MessageKeys {
  /** 74 bytes: parameters, IV, and a tag that commits to key and AAD. */
  readonly header: Bytes;
  /** @throws {RangeError} unless 0 ≤ segmentIndex < 2^40 */
  segmentKey(segmentIndex: number): Promise<CryptoKey>;
}

/**
 * The keys of one ciphertext.
 * @param iv 32 bytes
 * @throws {RangeError} when a key of bytes is not 32 long
 * @throws {TypeError} when a `CryptoKey` is not HMAC-SHA-384
 */
export async function deriveKeys(
  key: FloeKey,
  aad: Bytes,
  iv: Bytes,
  parameters: FloeParameters,
): Promise<MessageKeys> {
  const encoded = encodeParameters(parameters);
  const context = concat(encoded, iv);
  const root = key instanceof Uint8Array ? await importRoot(key) : checkedRoot(key);
  const [tag, message] = await Promise.all([
    derive(root, context, utf8('HEADER_TAG:'), aad, HEADER_TAG_BYTES),
    derive(root, context, utf8('MESSAGE_KEY:'), aad, MESSAGE_KEY_BYTES),
  ]);
  using _message = wipeAtEnd(message);
  const messageKey = await importHmac(message);
  const groupSegments = 2 ** (parameters.rotationBits ?? ROTATION_BITS);
  let cached: { group: number; key: Promise<CryptoKey> } | undefined;

  async function deriveSegmentKey(group: number): Promise<CryptoKey> {
    const purpose = concat(utf8('DEK:'), u64be(group));
    const dek = await derive(messageKey, context, purpose, aad, KEY_BYTES);
    return crypto.subtle.importKey('raw', dek, 'AES-GCM', false, ['encrypt', 'decrypt']);
  }

  return {
    header: concat(context, tag),
    async segmentKey(segmentIndex) {
      if (!Number.isInteger(segmentIndex) || segmentIndex < 0 || segmentIndex >= MAX_SEGMENTS) {
        throw new RangeError(`expected a segment index below 2^40, got ${String(segmentIndex)}`);
      }
      const group = segmentIndex - (segmentIndex % groupSegments);
      if (cached?.group !== group) cached = { group, key: deriveSegmentKey(group) };
      return cached.key;
    },
  };
}

/** FLOE's KDF: HKDF-Expand-SHA-384 (RFC 5869 §2.3) of one block at most, which is one HMAC. */
async function derive(
  key: CryptoKey,
  context: Bytes,
  purpose: Bytes,
  aad: Bytes,
  sizeBytes: number,
): Promise<Bytes> {
  const message = concat(context, purpose, aad, Uint8Array.of(1));
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message)).subarray(0, sizeBytes);
}

async function importRoot(key: Bytes): Promise<CryptoKey> {
  if (key.length !== KEY_BYTES) throw new RangeError(`expected a key of 32 bytes, got ${String(key.length)}`);
  return importHmac(key);
}

async function importHmac(key: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, HMAC_SHA_384, false, ['sign']);
}

function checkedRoot(key: CryptoKey): CryptoKey {
  const { name, hash } = key.algorithm as HmacKeyAlgorithm;
  // Another hash of 32 bytes or more would work, and write ciphertexts that nobody else can read.
  if (name !== 'HMAC' || hash.name !== 'SHA-384') throw new TypeError('expected an HMAC-SHA-384 key');
  return key;
}

/** The first 10 bytes of a header. */
export function encodeParameters({ segmentBytes }: FloeParameters): Bytes {
  return concat(AES_256_GCM_AND_SHA_384, u32be(segmentBytes), u32be(IV_BYTES));
}
