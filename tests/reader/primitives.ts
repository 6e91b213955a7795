import { createHash, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { demand } from './refused.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export const concat = (...parts: readonly Uint8Array[]): Bytes => Uint8Array.from(Buffer.concat(parts));
export const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
export const utf8 = (text: string): Bytes => Uint8Array.from(Buffer.from(text));
export const sha256 = (bytes: Uint8Array): Bytes =>
  Uint8Array.from(createHash('sha256').update(bytes).digest());

/** Section 1. */
export function u32be(n: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

/** Section 1. */
export function u64be(n: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(n));
  return bytes;
}

/** Section 1: no character outside the alphabet, no padding, no trailing bits that are not zero. */
export function fromB64url(text: string, code: string): Bytes {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64url'));
  demand(Buffer.from(bytes).toString('base64url') === text, code, 'base64url that is not canonical');
  return bytes;
}

/** Section 1: 16 bytes in 22 characters. */
export const isId = (text: string): boolean =>
  text.length === 22 && Buffer.from(text, 'base64url').toString('base64url') === text;

/** Section 3. */
export const prefixed = (...fields: readonly (string | Uint8Array)[]): Bytes =>
  concat(
    ...fields.flatMap((field) => {
      const bytes = typeof field === 'string' ? utf8(field) : field;
      return [u32be(bytes.length), bytes];
    }),
  );

/** Section 4. */
export const derive = (
  ikm: Uint8Array,
  salt: Uint8Array,
  purpose: string,
  ...ids: readonly (string | Uint8Array)[]
): Bytes => new Uint8Array(hkdfSync('sha256', ikm, salt, prefixed('halfkey/1', purpose, ...ids), 32));

export const NO_SALT: Bytes = new Uint8Array(0);

/** Section 5. */
export const aad = (type: string, owner: string, id: string, epoch: number): Bytes =>
  prefixed('halfkey/1', type, owner, id, u32be(epoch));

// RFC 8410: what stands before the 32 bytes of an Ed25519 key in DER.
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

const P = 2n ** 255n - 19n;
// The y of the eight points of small order (RFC 7748 §4.1 has the curve): 0; ±1; and those of order 8.
const Y8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const SMALL = [0n, 1n, P - 1n, Y8, P - Y8];

/** Section 2: whether 32 bytes are a y below p that is not of a point of small order; its sign is not looked at. */
function isLarge(bytes: Uint8Array): boolean {
  const digits = Buffer.from(Uint8Array.from(bytes).reverse()).toString('hex');
  const y = BigInt(`0x${digits}`) & (2n ** 255n - 1n);
  return y < P && !SMALL.includes(y);
}

/** Section 2: whether the signature is that of the key with these 32 bytes (RFC 8032, pure; the equation as it is). */
export function isSignedBy(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!isLarge(publicKey) || !isLarge(signature.subarray(0, 32))) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}
