import {
  AEAD_AES_256_GCM,
  CipherSuite,
  KDF_HKDF_SHA256,
  KEM_DHKEM_X25519_HKDF_SHA256,
  type KeyPair,
} from 'hpke';
import { concat, utf8, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { isPortable, madeAgain } from './private-keys.ts';

/** How Halfkey uses HPKE (docs/FORMAT.md §2). */
export const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const ENCAPSULATED_BYTES = 32;
const TAG_BYTES = 16;

/** A new X25519 key pair of WebCrypto's. */
export function generateX25519(extractable: boolean): Promise<KeyPair<CryptoKey>> {
  return madeAgain(() => suite.GenerateKeyPair(extractable));
}

/** A new X25519 key pair (RFC 7748); both halves 32 raw bytes, because the private one is sealed and travels. */
export async function generateAgreementKeyPair(): Promise<{ publicKey: Bytes; privateKey: Bytes }> {
  for (;;) {
    const pair = await generateX25519(true);
    const [publicKey, privateKey] = await Promise.all([
      suite.SerializePublicKey(pair.publicKey),
      suite.SerializePrivateKey(pair.privateKey),
    ]);
    const keys = { publicKey: new Uint8Array(publicKey), privateKey: new Uint8Array(privateKey) };
    if (isPortable(keys.privateKey)) return keys;
  }
}

/**
 * Seals to the holder of a private key: HPKE (RFC 9180) in base mode, with X25519, HKDF-SHA-256 and AES-256-GCM, one
 * message. It says nothing about who sealed: sign the result.
 *
 * @param publicKey 32 bytes
 * @returns enc (32 bytes), then ciphertext and tag (plaintext and 16 bytes)
 * @throws {HalfkeyError} `format_malformed` when the public key is not one
 */
export async function sealTo(publicKey: Bytes, info: Bytes, aad: Bytes, plaintext: Bytes): Promise<Bytes> {
  try {
    const key = await suite.DeserializePublicKey(publicKey);
    const { encapsulatedSecret, ciphertext } = await madeAgain(() =>
      suite.Seal(key, plaintext, { info, aad }),
    );
    return concat(encapsulatedSecret, ciphertext);
  } catch (cause) {
    throw new HalfkeyError('format_malformed', 'expected an X25519 public key of 32 bytes', { cause });
  }
}

/**
 * Opens what `sealTo` gave.
 *
 * @param publicKey the private key's own
 * @throws {HalfkeyError} `ciphertext_truncated` below 48 bytes; `key_mismatch` when this key, info and AAD do not open
 *   it: HPKE does not tell another key from damage
 * @throws {RangeError} when the key pair is malformed
 */
export async function openFrom(
  privateKey: Bytes,
  publicKey: Bytes,
  info: Bytes,
  aad: Bytes,
  sealed: Bytes,
): Promise<Bytes> {
  if (sealed.length < ENCAPSULATED_BYTES + TAG_BYTES) {
    throw new HalfkeyError('ciphertext_truncated', `expected 48 bytes or more, got ${String(sealed.length)}`);
  }
  const pair = await importPair(privateKey, publicKey);
  const encapsulated = sealed.subarray(0, ENCAPSULATED_BYTES);
  try {
    const opened = await suite.Open(pair, encapsulated, sealed.subarray(ENCAPSULATED_BYTES), { info, aad });
    return new Uint8Array(opened);
  } catch {
    throw new HalfkeyError('key_mismatch', 'the key does not open this, or it is damaged');
  }
}

/**
 * Whether two keys of 32 bytes are one pair. WebCrypto does not tell a private key's public half: what is sealed to one
 * opens with the other.
 */
export async function isAgreementPair(privateKey: Bytes, publicKey: Bytes): Promise<boolean> {
  const probe = utf8('halfkey/pair/1');
  try {
    await openFrom(privateKey, publicKey, probe, probe, await sealTo(publicKey, probe, probe, probe));
    return true;
  } catch (error) {
    if (error instanceof HalfkeyError) return false;
    throw error;
  }
}

async function importPair(privateKey: Bytes, publicKey: Bytes): Promise<KeyPair<CryptoKey>> {
  try {
    return {
      privateKey: await suite.DeserializePrivateKey(privateKey, false),
      publicKey: await suite.DeserializePublicKey(publicKey),
    };
  } catch (cause) {
    throw new RangeError('expected an X25519 key pair of 32 bytes each', { cause });
  }
}
