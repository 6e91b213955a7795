import { createDecipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { x25519PublicKey } from './ed25519.ts';
import { concat, utf8, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';

const EMPTY = new Uint8Array(0);
// RFC 8410: what stands before the 32 bytes of an X25519 key in DER.
const PRIVATE = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC = Buffer.from('302a300506032b656e032100', 'hex');
// RFC 9180 §4.1 and §5.1: DHKEM(X25519, HKDF-SHA256), with HKDF-SHA256 and AES-256-GCM.
const KEM = concat(utf8('KEM'), Uint8Array.of(0x00, 0x20));
const HPKE = concat(utf8('HPKE'), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, 0x02));

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes =>
  Uint8Array.from(
    createHmac('sha256', key)
      .update(concat(...parts))
      .digest(),
  );

// RFC 9180 §4. All outputs are of one block at most.
const labeled = (suite: Uint8Array, label: string, bytes: Uint8Array): Bytes =>
  concat(utf8('HPKE-v1'), suite, utf8(label), bytes);
const extract = (suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Bytes =>
  hmac(salt, labeled(suite, label, ikm));
const expand = (suite: Uint8Array, key: Uint8Array, label: string, info: Uint8Array, length: number): Bytes =>
  hmac(key, Uint8Array.of(0, length), labeled(suite, label, info), Uint8Array.of(1)).slice(0, length);

/** RFC 7748 §6.1. */
export function agree(privateKey: Uint8Array, publicKey: Uint8Array): Bytes {
  const shared = diffieHellman({
    privateKey: createPrivateKey({ key: Buffer.concat([PRIVATE, privateKey]), format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: Buffer.concat([PUBLIC, publicKey]), format: 'der', type: 'spki' }),
  });
  return Uint8Array.from(shared);
}

/**
 * RFC 9180 §4.1 and §5.1, mode 0 without a PSK: key and nonce of the one message.
 * @param kemContext `enc ‖ public key`
 */
export function keySchedule(
  agreed: Uint8Array,
  kemContext: Uint8Array,
  info: Uint8Array,
): { readonly key: Bytes; readonly nonce: Bytes } {
  const shared = expand(KEM, extract(KEM, EMPTY, 'eae_prk', agreed), 'shared_secret', kemContext, 32);
  const hashes = concat(
    Uint8Array.of(0),
    extract(HPKE, EMPTY, 'psk_id_hash', EMPTY),
    extract(HPKE, EMPTY, 'info_hash', info),
  );
  const secret = extract(HPKE, shared, 'secret', EMPTY);
  return {
    key: expand(HPKE, secret, 'key', hashes, 32),
    nonce: expand(HPKE, secret, 'base_nonce', hashes, 12),
  };
}

/**
 * Section 2: opens `enc ‖ ciphertext ‖ tag`, sealed in base mode to the public half of this private key.
 * @throws {Refused} `key_mismatch`
 */
export function openHpke(
  privateKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Bytes {
  demand(sealed.length >= 48, 'key_mismatch', 'too short');
  const enc = sealed.subarray(0, 32);
  const [ciphertext, tag] = [sealed.subarray(32, -16), sealed.subarray(-16)];
  try {
    const context = concat(enc, x25519PublicKey(privateKey));
    const { key, nonce } = keySchedule(agree(privateKey, enc), context, info);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad).setAuthTag(tag);
    return concat(decipher.update(ciphertext), decipher.final());
  } catch {
    throw new Refused('key_mismatch', 'the key does not open this');
  }
}
