import { lengthPrefixed, type Bytes } from '../bytes.ts';
import { SUITE } from './suite.ts';

/** Bytes of a derived key. */
const KEY_BYTES = 32;
const NO_SALT = new Uint8Array(0);

/**
 * HKDF-SHA-256 (RFC 5869), extract and expand.
 *
 * @param sizeBytes 1 to 8,160 (255 blocks, RFC 5869 §2.3)
 */
export async function hkdf(ikm: Bytes, salt: Bytes, info: Bytes, sizeBytes = KEY_BYTES): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt, info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, sizeBytes * 8));
}

/** The `info` of a derivation: suite, purpose and ids, each preceded by its length (docs/FORMAT.md §4). */
export function derivationInfo(purpose: string, ...ids: (string | Uint8Array)[]): Bytes {
  return lengthPrefixed(SUITE, purpose, ...ids);
}

/** A 32-byte key for one purpose, from a key or secret of full entropy; the salt is empty. */
export async function deriveKey(
  ikm: Bytes,
  purpose: string,
  ...ids: (string | Uint8Array)[]
): Promise<Bytes> {
  return hkdf(ikm, NO_SALT, derivationInfo(purpose, ...ids));
}
