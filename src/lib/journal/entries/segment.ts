import { readSegmentHead, SEGMENT_HEAD, type SegmentHead } from '$contract/segment.ts';
import { concat, lengthPrefixed, toB64Url, fromB64Url, u32be, u64be, utf8, type Bytes } from '../../bytes.ts';
import { sealAad } from '../../crypto/aad.ts';
import { sha256 } from '../../crypto/digest.ts';
import { open, seal } from '../../crypto/floe.ts';
import { deriveKey } from '../../crypto/hkdf.ts';
import { sign } from '../../crypto/signing.ts';
import { HalfkeyError, type ErrorCode } from '../../errors.ts';
import { padded } from './segment-padding.ts';

/** Bytes of a whole segment, sealed: larger ones are not looked at. The broker refuses them too. */
const MAX_SEGMENT_BYTES = 1024 * 1024;
/** Writer of a segment that the identity key signs. */
const IDENTITY_WRITER = new Uint8Array(16);
const HASH_BYTES = 32;

/** Of the vault key that a vault begins with. */
export const FIRST_EPOCH = 0;

/** What comes before the first segment. */
export const NO_HASH: Bytes = new Uint8Array(HASH_BYTES);

/** The place of a segment in its vault's journal. */
export interface JournalHead {
  /** From 0. */
  readonly seq: number;
  /** SHA-256 of the segment's bytes, head and all. */
  readonly hash: Bytes;
}

/** Which vault, and what opens its journal. */
export interface JournalKey {
  readonly vault: string;
  /** Of the vault key. */
  readonly epoch: number;
  /** 32 bytes. */
  readonly key: Bytes;
}

/** The journal key of a vault and epoch. */
export async function journalKey(vault: string, epoch: number, vaultKey: Bytes): Promise<JournalKey> {
  return { vault, epoch, key: await deriveKey(vaultKey, 'journal', vault) };
}

/** Who signs a segment: a device by its id, or the identity key (`device` undefined). */
export interface SegmentSigner {
  readonly device: string | undefined;
  readonly privateKey: CryptoKey;
}

/** Seals and signs the segment that follows `before`; `undefined` makes the genesis. Each call gives other bytes. */
export async function sealSegment(
  { vault, epoch, key }: JournalKey,
  before: JournalHead | undefined,
  sequence: Bytes,
  signer: SegmentSigner,
): Promise<Bytes> {
  const seq = before === undefined ? 0 : before.seq + 1;
  const prevHash = before?.hash ?? NO_HASH;
  const writer = signer.device === undefined ? IDENTITY_WRITER : fromB64Url(signer.device);
  const ciphertext = await seal(key, sealAad('journal', vault, String(seq), epoch), padded(sequence));
  const head = { epoch, seq, prevHash, writer };
  const signature = await sign(signer.privateKey, signedMessage(vault, head, await sha256(ciphertext)));
  return concat(utf8(SEGMENT_HEAD.magic), u32be(epoch), u64be(seq), prevHash, writer, signature, ciphertext);
}

/** What is in a segment's seal; nothing is said of who wrote it, or where it belongs. */
type Unsealed =
  | { readonly kind: 'opened'; readonly plaintext: Bytes }
  /** FLOE refuses it, under the key of the epoch that its head names. */
  | { readonly kind: 'refused' }
  /** This device has no key of that epoch. */
  | { readonly kind: 'no-key' };

/** A segment with the number of its place; everything else is still to be judged (chain.ts). */
export interface ReadSegment {
  readonly seq: number;
  readonly epoch: number;
  readonly prevHash: Bytes;
  /** Of the whole bytes. */
  readonly hash: Bytes;
  /** Id of the device, or undefined for the identity key. */
  readonly writer: string | undefined;
  readonly signed: Bytes;
  readonly signature: Bytes;
  readonly content: Unsealed;
}

/**
 * Reads a segment, and opens its seal with the key of the epoch that it names.
 * @param keyOf the journal key of an epoch; undefined where this device has none
 * @param seq the place where it was asked for
 * @throws {HalfkeyError} `journal_corrupt` when it is malformed or larger than 1 MiB, `journal_gap` when it belongs to
 *   another place; each with `seq`
 * @throws whatever keeps this device from opening anything at all: that says nothing of the segment
 */
export async function readSegment(
  vault: string,
  keyOf: (epoch: number) => JournalKey | undefined,
  seq: number,
  bytes: Bytes,
): Promise<ReadSegment> {
  const head = bytes.length > MAX_SEGMENT_BYTES ? undefined : readSegmentHead(bytes);
  if (!head) throw corrupt(seq, `${String(bytes.length)} bytes are no segment`);
  if (head.seq !== seq) {
    throw new HalfkeyError('journal_gap', `expected segment ${String(seq)}, got ${String(head.seq)}`, {
      detail: { seq },
    });
  }
  const ciphertext = bytes.subarray(SEGMENT_HEAD.ciphertextOffset);
  const [hash, ciphertextHash, content] = await Promise.all([
    sha256(bytes),
    sha256(ciphertext),
    unseal(keyOf(head.epoch), seq, ciphertext),
  ]);
  return {
    seq,
    epoch: head.epoch,
    prevHash: new Uint8Array(head.prevHash),
    hash,
    writer: head.writer.every((byte) => byte === 0) ? undefined : toB64Url(head.writer),
    signed: signedMessage(vault, head, ciphertextHash),
    signature: bytes.slice(SEGMENT_HEAD.signatureOffset, SEGMENT_HEAD.ciphertextOffset),
    content,
  };
}

/** Twice, before a refusal is believed: all devices must come to the same, and memory may fail one of them once. */
async function unseal(key: JournalKey | undefined, seq: number, ciphertext: Bytes): Promise<Unsealed> {
  if (!key) return { kind: 'no-key' };
  const aad = sealAad('journal', key.vault, String(seq), key.epoch);
  for (let attempt = 1; ; attempt++) {
    try {
      return { kind: 'opened', plaintext: await open(key.key, aad, ciphertext) };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (attempt === 2) return { kind: 'refused' };
    }
  }
}

/** What FLOE itself says of a ciphertext (docs/FORMAT.md §6). */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'key_mismatch',
  'format_malformed',
  'ciphertext_truncated',
  'ciphertext_overlong',
  'segment_corrupt',
]);

function isRefusal(error: unknown): boolean {
  return error instanceof HalfkeyError && REFUSALS.has(error.code);
}

/** An error of one segment. */
export function corrupt(seq: number, message: string, cause?: unknown): HalfkeyError {
  return new HalfkeyError('journal_corrupt', `segment ${String(seq)}: ${message}`, {
    detail: { seq },
    cause,
  });
}

function signedMessage(vault: string, head: SegmentHead, ciphertextHash: Bytes): Bytes {
  const { seq, prevHash, epoch, writer } = head;
  return lengthPrefixed(
    'halfkey/journal/1',
    vault,
    u64be(seq),
    prevHash,
    u32be(epoch),
    writer,
    ciphertextHash,
  );
}
