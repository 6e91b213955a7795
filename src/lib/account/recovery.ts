import { lengthPrefixed, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { deriveKey } from '../crypto/hkdf.ts';
import { randomSecret } from '../crypto/random.ts';
import { isPortable } from '../crypto/private-keys.ts';
import { sign, signingKeyFromSeed, type SigningKeyPair } from '../crypto/signing.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';
import { loaded } from './loaded.ts';

/** Bytes of a kit's secret: 256 bits, 24 words. */
const ENTROPY_BYTES = 32;
const WORDS = 24;

/** A new kit's secret, 32 bytes. */
export async function generateRecoveryEntropy(): Promise<Bytes> {
  for (;;) {
    const entropy = randomSecret(ENTROPY_BYTES);
    const seed = await recoverySeed(entropy);
    using _seed = wipeAtEnd(seed);
    if (isPortable(seed)) return entropy;
  }
}

/** The 24 English words of BIP39 that stand for 32 bytes and a checksum of 8 bits. */
export async function recoveryWords(entropy: Bytes): Promise<string[]> {
  const { entropyToMnemonic, wordlist } = await loadWords();
  return entropyToMnemonic(entropy, wordlist).split(' ');
}

/**
 * The secret of a kit as people type it: case, white space, punctuation and the kit's numbers (`12.`, `12)`) do not
 * matter, and letters may come decomposed or full-width (NFKD).
 *
 * @returns 32 bytes
 * @throws {HalfkeyError} `recovery_words_malformed` when these are not 24 words of the list with a fitting checksum
 */
export async function parseRecoveryWords(text: string): Promise<Bytes> {
  const words =
    text
      .normalize('NFKD')
      .toLowerCase()
      .match(/[a-z]+/g) ?? [];
  if (words.length !== WORDS) {
    throw new HalfkeyError('recovery_words_malformed', `expected 24 words, got ${String(words.length)}`);
  }
  const { mnemonicToEntropy, wordlist } = await loadWords();
  try {
    return new Uint8Array(mnemonicToEntropy(words.join(' '), wordlist));
  } catch {
    // The cause's message would quote the words.
    throw new HalfkeyError('recovery_words_malformed', 'a word is not of the list, or the checksum is wrong');
  }
}

/** The key that wraps account key and identity in the keyring, 32 bytes. */
export function recoveryKek(entropy: Bytes): Promise<Bytes> {
  return deriveKey(entropy, 'recovery-wrap');
}

/** The key pair by which the kit proves itself to the broker, which knows the public half from sign-up. */
export async function recoveryKeyPair(entropy: Bytes): Promise<SigningKeyPair> {
  const seed = await recoverySeed(entropy);
  using _seed = wipeAtEnd(seed);
  return await signingKeyFromSeed(seed);
}

const recoverySeed = (entropy: Bytes) => deriveKey(entropy, 'recovery-auth');

/** What the kit is shown for: a new passphrase, or another authenticator without a code. */
export type KitPurpose = 'recovery' | 'factor-reset';

/** The answer to the broker's challenge: a signature of 64 bytes, good for nothing else. */
export function signRecoveryChallenge(
  { privateKey, publicKey }: SigningKeyPair,
  challenge: Bytes,
  purpose: KitPurpose,
): Promise<Bytes> {
  return sign(privateKey, lengthPrefixed(`halfkey/${purpose}/1`, publicKey, challenge));
}

async function loadWords() {
  const [{ entropyToMnemonic, mnemonicToEntropy }, { wordlist }] = await loaded(
    Promise.all([import('@scure/bip39'), import('@scure/bip39/wordlists/english.js')]),
  );
  return { entropyToMnemonic, mnemonicToEntropy, wordlist };
}
