import { wordlist } from '@scure/bip39/wordlists/english.js';
import { ed25519PublicKey, signWith } from './ed25519.ts';
import { derive, NO_SALT, prefixed, sha256, type Bytes } from './primitives.ts';
import { demand } from './refused.ts';

const CODE = 'recovery_words_malformed';

/** Section 10: the recovery entropy (32 bytes) of 24 words. */
export function readWords(text: string): Bytes {
  const words =
    text
      .normalize('NFKD')
      .toLowerCase()
      .match(/[a-z]+/g) ?? [];
  demand(words.length === 24, CODE, `${String(words.length)} words, expected 24`);
  const indices = words.map((word) => wordlist.indexOf(word));
  demand(!indices.includes(-1), CODE, 'a word that is not in the list');
  const bits = indices.map((index) => index.toString(2).padStart(11, '0')).join('');
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
  const entropy = bytes.slice(0, 32);
  demand(bytes[32] === sha256(entropy)[0], CODE, 'another checksum');
  return entropy;
}

/** Section 10: the KEK of the keyring's `byRecovery`. */
export const recoveryKek = (entropy: Uint8Array): Bytes => derive(entropy, NO_SALT, 'recovery-wrap');

/** Section 10: the public key by which the server finds the account. */
export const recoveryPublicKey = (entropy: Uint8Array): Bytes =>
  ed25519PublicKey(derive(entropy, NO_SALT, 'recovery-auth'));

/** Section 10: the answer to a challenge of 32 bytes. */
export function answerChallenge(entropy: Uint8Array, challenge: Uint8Array): Bytes {
  const seed = derive(entropy, NO_SALT, 'recovery-auth');
  return signWith(seed, prefixed('halfkey/recovery/1', ed25519PublicKey(seed), challenge));
}
