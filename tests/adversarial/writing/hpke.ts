import { createCipheriv } from 'node:crypto';
import { x25519PublicKey } from '../../reader/ed25519.ts';
import { agree, keySchedule } from '../../reader/hpke.ts';
import { concat, type Bytes } from '../../reader/primitives.ts';
import { bytesOf } from './bytes.ts';

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
  return concat(enc, sealShared(agree(ephemeral, publicKey), concat(enc, publicKey), info, aad, plaintext));
}

/** What follows `enc` when the Diffie-Hellman result is this, be it one that must not be taken. */
export function sealShared(
  agreed: Uint8Array,
  kemContext: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  const { key, nonce } = keySchedule(agreed, kemContext, info);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}
