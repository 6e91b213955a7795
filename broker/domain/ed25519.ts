import { createPublicKey, verify } from 'node:crypto';

/**
 * Whether a signature holds (RFC 8032, pure).
 * @param publicKey 32 bytes, base64url
 */
export function isSignedBy(publicKey: string, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey };
    return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
  } catch {
    return false;
  }
}
