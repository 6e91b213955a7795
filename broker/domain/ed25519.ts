import { createPublicKey, verify } from 'node:crypto';
import { isUsualPoint } from '../contract/ed25519-point.ts';

const POINT_BYTES = 32;

/**
 * Whether a signature (64 bytes) is an Ed25519 key's over exactly this message, as docs/FORMAT.md §2 has it; false for
 * anything malformed.
 * @param publicKey 32 bytes, base64url
 */
export function isSignedBy(publicKey: string, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isUsualPoint(Buffer.from(publicKey, 'base64url'))) return false;
  if (!isUsualPoint(signature.subarray(0, POINT_BYTES))) return false;
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}
