import { createCipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { x25519PublicKey } from '../../reader/ed25519.ts';
import { concat, utf8, type Bytes } from '../../reader/primitives.ts';
import { bytesOf } from './bytes.ts';

const EMPTY = new Uint8Array(0);
// RFC 8410: what stands before the 32 bytes of an X25519 key in DER.
const PRIVATE = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC = Buffer.from('302a300506032b656e032100', 'hex');
// RFC 9180 §4.1 and §5.1.
const KEM = concat(utf8('KEM'), Uint8Array.of(0x00, 0x20));
const HPKE = concat(utf8('HPKE'), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, 0x02));

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes =>
  Uint8Array.from(
    createHmac('sha256', key)
      .update(concat(...parts))
      .digest(),
  );
const labeled = (suite: Uint8Array, label: string, bytes: Uint8Array): Bytes =>
  concat(utf8('HPKE-v1'), suite, utf8(label), bytes);
const extract = (suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Bytes =>
  hmac(salt, labeled(suite, label, ikm));
const expand = (suite: Uint8Array, key: Uint8Array, label: string, info: Uint8Array, length: number): Bytes =>
  hmac(key, Uint8Array.of(0, length), labeled(suite, label, info), Uint8Array.of(1)).slice(0, length);

/** Section 2: `enc ‖ ciphertext ‖ tag`. The ephemeral key is made of the label. */
export function sealHpke(
  publicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  label: string,
): Bytes {
  const ephemeral = bytesOf(`${label} ephemeral`, 32);
  const enc = x25519PublicKey(ephemeral);
  const dh = diffieHellman({
    privateKey: createPrivateKey({ key: Buffer.concat([PRIVATE, ephemeral]), format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: Buffer.concat([PUBLIC, publicKey]), format: 'der', type: 'spki' }),
  });
  return concat(enc, sealShared(dh, concat(enc, publicKey), info, aad, plaintext));
}

/** What follows `enc` when the Diffie-Hellman result is this, be it one that nobody may take. */
export function sealShared(
  dh: Uint8Array,
  kemContext: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  const shared = expand(KEM, extract(KEM, EMPTY, 'eae_prk', dh), 'shared_secret', kemContext, 32);
  const hashes = concat(
    Uint8Array.of(0),
    extract(HPKE, EMPTY, 'psk_id_hash', EMPTY),
    extract(HPKE, EMPTY, 'info_hash', info),
  );
  const secret = extract(HPKE, shared, 'secret', EMPTY);
  const [key, nonce] = [
    expand(HPKE, secret, 'key', hashes, 32),
    expand(HPKE, secret, 'base_nonce', hashes, 12),
  ];
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}
