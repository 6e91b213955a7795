import { isUsualPoint } from '$contract/ed25519-point.ts';
import { concat, fromB64Url, type Bytes } from '../bytes.ts';
import { isPortable, madeAgain } from './private-keys.ts';
import { randomSecret } from './random.ts';
import { wipeAtEnd } from './wipe.ts';

const ED25519 = 'Ed25519';
const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** PKCS#8 of an Ed25519 private key up to the seed (RFC 8410 §7). */
const PKCS8_PREFIX = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
);

/** An Ed25519 key pair (RFC 8032) whose private half never leaves WebCrypto. */
export interface SigningKeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** Not extractable; IndexedDB keeps it as it is. */
  readonly privateKey: CryptoKey;
}

/** A new key pair that exists on this device only. */
export async function generateDeviceKeyPair(): Promise<SigningKeyPair> {
  const pair = await madeAgain(() => crypto.subtle.generateKey(ED25519, false, ['sign', 'verify']));
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { publicKey, privateKey: pair.privateKey };
}

/** A new seed (RFC 8032 §5.1.5), 32 bytes, that every engine takes. */
export function generateSeed(): Bytes {
  for (;;) {
    const seed = randomSecret(SEED_BYTES);
    if (isPortable(seed)) return seed;
  }
}

/**
 * The key pair of a seed (RFC 8032 §5.1.5).
 * @param seed 32 bytes
 * @throws {RangeError} when it is not 32 bytes long
 */
export async function signingKeyFromSeed(seed: Bytes): Promise<SigningKeyPair> {
  if (seed.length !== SEED_BYTES) {
    throw new RangeError(`expected a seed of 32 bytes, got ${String(seed.length)}`);
  }
  const pkcs8 = concat(PKCS8_PREFIX, seed);
  using _pkcs8 = wipeAtEnd(pkcs8);
  // WebCrypto tells the public half of an extractable key only; that one is dropped at once.
  const readable = await crypto.subtle.importKey('pkcs8', pkcs8, ED25519, true, ['sign']);
  const { x } = await crypto.subtle.exportKey('jwk', readable);
  if (x === undefined) throw new TypeError('expected a JWK with a public half');
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, ED25519, false, ['sign']);
  return { publicKey: fromB64Url(x), privateKey };
}

/** The signature of a message, 64 bytes. */
export async function sign(key: CryptoKey, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ED25519, key, message));
}

/**
 * Whether the signature is the public key's over exactly this message; false for anything malformed. docs/FORMAT.md §2
 * says which of the verifications in use this is: engines differ in what they take of points of small order and of
 * other encodings than RFC 8032's, so both points are judged here.
 */
export async function verify(publicKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (!isUsualPoint(publicKey) || !isUsualPoint(signature.subarray(0, PUBLIC_KEY_BYTES))) return false;
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey('raw', publicKey, ED25519, false, ['verify']);
  } catch {
    return false; // Some engines refuse points that are not on the curve here, others when they verify.
  }
  return crypto.subtle.verify(ED25519, key, signature, message);
}
