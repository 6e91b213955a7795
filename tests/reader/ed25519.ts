import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Bytes } from './primitives.ts';

// RFC 8410: what stands before a private key's 32 bytes in DER.
const ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

const privateKey = (prefix: Buffer, bytes: Uint8Array): ReturnType<typeof createPrivateKey> =>
  createPrivateKey({ key: Buffer.concat([prefix, bytes]), format: 'der', type: 'pkcs8' });

const publicHalf = (prefix: Buffer, bytes: Uint8Array): Bytes =>
  Uint8Array.from(
    createPublicKey(privateKey(prefix, bytes)).export({ format: 'der', type: 'spki' }).subarray(-32),
  );

/** The public key of an Ed25519 seed (RFC 8032 §5.1.5), 32 bytes each. */
export const ed25519PublicKey = (seed: Uint8Array): Bytes => publicHalf(ED25519, seed);

/** The public key of an X25519 private key (RFC 7748 §5), 32 bytes each. */
export const x25519PublicKey = (bytes: Uint8Array): Bytes => publicHalf(X25519, bytes);

/** An Ed25519 signature, 64 bytes. */
export const signWith = (seed: Uint8Array, message: Uint8Array): Bytes =>
  Uint8Array.from(sign(null, message, privateKey(ED25519, seed)));
