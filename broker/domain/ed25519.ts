import { createPublicKey, verify } from 'node:crypto';

/**
 * Whether a signature (64 bytes) is an Ed25519 key's over exactly this message (RFC 8032); false for anything malformed.
 * @param publicKey 32 bytes, base64url
 */
export function isSignedBy(publicKey: string, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}
