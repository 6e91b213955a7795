import { concat, lengthPrefixed, u32be, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { sealAad } from './aad.ts';
import { sha256 } from './digest.ts';
import { open, seal, sealedSize } from './floe.ts';
import { derivationInfo, hkdf } from './hkdf.ts';
import { randomBytes } from './random.ts';
import { SUITE } from './suite.ts';
import { wipeAtEnd } from './wipe.ts';

const KEY_BYTES = 32;
const SALT_BYTES = 32;
const SEALED_KEY_BYTES = sealedSize(KEY_BYTES);

/** What KMS half and vault key together open: the key of one blob. docs/FORMAT.md §8 */
export interface Envelope {
  readonly suite: typeof SUITE;
  readonly purpose: 'file' | 'inbox';
  /** Of the vault key. */
  readonly epoch: number;
  /** 32 bytes. */
  readonly salt: Bytes;
  /** The KMS half as KMS encrypted it, under the blob's encryption context. */
  readonly kmsBlob: Bytes;
  /** The content key as a FLOE ciphertext, 138 bytes. */
  readonly sealedKey: Bytes;
}

/** What an envelope belongs to; all of it is bound into the key that wraps. */
interface EnvelopeBinding {
  readonly purpose: Envelope['purpose'];
  readonly vault: string;
  readonly blob: string;
  /** Of the vault key. */
  readonly epoch: number;
}

/** The two halves, 32 bytes each. */
interface Halves {
  readonly kmsHalf: Bytes;
  readonly vaultKey: Bytes;
}

/**
 * Seals a content key so that only both halves open it.
 * @throws {HalfkeyError} `kms_half_wrong` when the KMS half is not 32 bytes long
 * @throws {RangeError} when content key or vault key is not
 */
export async function sealEnvelope(
  input: EnvelopeBinding & Halves & { readonly contentKey: Bytes; readonly kmsBlob: Bytes },
): Promise<Envelope> {
  checkKeySize('content key', input.contentKey);
  const { purpose, epoch, kmsBlob } = input;
  const salt = randomBytes(SALT_BYTES);
  const kek = await deriveKek(input, salt);
  using _kek = wipeAtEnd(kek);
  const sealedKey = await seal(kek, await envelopeAad(input, kmsBlob), input.contentKey);
  return { suite: SUITE, purpose, epoch, salt, kmsBlob, sealedKey };
}

/**
 * The content key, 32 bytes.
 * @throws {HalfkeyError} `format_unknown` for another suite; `kms_half_wrong` when the halves do not open it, be it
 *   that the half, the salt or the KMS blob was changed or belongs elsewhere; `envelope_corrupt` when it is of another
 *   purpose or epoch, or damaged
 * @throws {RangeError} when the vault key is not 32 bytes long
 */
export async function openEnvelope(
  input: EnvelopeBinding & Halves & { readonly envelope: Envelope },
): Promise<Bytes> {
  const { envelope } = input;
  checkEnvelope(envelope, input);
  const kek = await deriveKek(input, envelope.salt);
  using _kek = wipeAtEnd(kek);
  try {
    return await open(kek, await envelopeAad(input, envelope.kmsBlob), envelope.sealedKey);
  } catch (error) {
    if (!(error instanceof HalfkeyError)) throw error;
    if (error.code === 'key_mismatch') {
      throw new HalfkeyError('kms_half_wrong', 'the halves do not open the envelope');
    }
    throw new HalfkeyError('envelope_corrupt', 'the sealed content key is damaged', { cause: error });
  }
}

function checkEnvelope(envelope: Envelope, { purpose, epoch }: EnvelopeBinding): void {
  if ((envelope.suite as string) !== SUITE) {
    throw new HalfkeyError('format_unknown', `expected an envelope of suite ${SUITE}`);
  }
  if (envelope.purpose !== purpose) {
    throw new HalfkeyError('envelope_corrupt', `expected an envelope of purpose ${purpose}`);
  }
  if (envelope.epoch !== epoch) {
    throw new HalfkeyError(
      'envelope_corrupt',
      `expected an envelope of epoch ${String(epoch)}, got ${String(envelope.epoch)}`,
    );
  }
  if (envelope.salt.length !== SALT_BYTES || envelope.sealedKey.length !== SEALED_KEY_BYTES) {
    throw new HalfkeyError(
      'envelope_corrupt',
      `expected salt and sealed key of 32 and 138 bytes, got ${String(envelope.salt.length)} and ${String(envelope.sealedKey.length)}`,
    );
  }
}

/** Both halves are of fixed size, so their concatenation has one reading. */
async function deriveKek(input: EnvelopeBinding & Halves, salt: Bytes): Promise<Bytes> {
  const { kmsHalf, vaultKey, purpose, vault, blob, epoch } = input;
  if (kmsHalf.length !== KEY_BYTES) {
    throw new HalfkeyError(
      'kms_half_wrong',
      `expected a KMS half of 32 bytes, got ${String(kmsHalf.length)}`,
    );
  }
  checkKeySize('vault key', vaultKey);
  const ikm = concat(kmsHalf, vaultKey);
  using _ikm = wipeAtEnd(ikm);
  return await hkdf(ikm, salt, derivationInfo(purpose, vault, blob, u32be(epoch)));
}

/** Binds the KMS blob too: what the broker is asked to release is what was sealed with. */
async function envelopeAad({ vault, blob, epoch }: EnvelopeBinding, kmsBlob: Bytes): Promise<Bytes> {
  return concat(sealAad('content-key', vault, blob, epoch), lengthPrefixed(await sha256(kmsBlob)));
}

function checkKeySize(name: string, key: Bytes): void {
  if (key.length !== KEY_BYTES) {
    throw new RangeError(`expected a ${name} of 32 bytes, got ${String(key.length)}`);
  }
}
