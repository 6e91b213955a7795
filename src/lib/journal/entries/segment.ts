import { readSegmentHead, SEGMENT_HEAD, type SegmentHead } from '$contract/segment.ts';
import { concat, lengthPrefixed, toB64Url, fromB64Url, u32be, u64be, utf8, type Bytes } from '../../bytes.ts';
import { sealAad } from '../../crypto/aad.ts';
import { sha256 } from '../../crypto/digest.ts';
import { open, seal } from '../../crypto/floe.ts';
import { deriveKey } from '../../crypto/hkdf.ts';
import { sign } from '../../crypto/signing.ts';
import { HalfkeyError } from '../../errors.ts';
import { padded, unpadded } from './segment-padding.ts';

/** Bytes of a whole segment, sealed: larger ones are not looked at. The broker refuses them too. */
const MAX_SEGMENT_BYTES = 1024 * 1024;
/** Writer of a segment that the identity key signs. */
const IDENTITY_WRITER = new Uint8Array(16);
const HASH_BYTES = 32;

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

/** A segment whose seal opened; its place and signature are still to be judged (chain.ts). */
export interface OpenedSegment {
  readonly seq: number;
  readonly prevHash: Bytes;
  /** Of the whole bytes. */
  readonly hash: Bytes;
  /** Id of the device, or undefined for the identity key. */
  readonly writer: string | undefined;
  readonly signed: Bytes;
  readonly signature: Bytes;
  /** The operations' CBOR sequence. */
  readonly sequence: Bytes;
}

/**
 * Opens a segment's seal.
 * @param seq the place where it was asked for
 * @throws {HalfkeyError} `journal_corrupt` when it is malformed, larger than 1 MiB, of another epoch, or fails its seal;
 *   `journal_gap` when it belongs to another place; each with `seq`
 */
export async function openSegment(
  { vault, epoch, key }: JournalKey,
  seq: number,
  bytes: Bytes,
): Promise<OpenedSegment> {
  const head = bytes.length > MAX_SEGMENT_BYTES ? undefined : readSegmentHead(bytes);
  if (!head) throw corrupt(seq, `${String(bytes.length)} bytes are no segment`);
  if (head.seq !== seq) {
    throw new HalfkeyError('journal_gap', `expected segment ${String(seq)}, got ${String(head.seq)}`, {
      detail: { seq },
    });
  }
  if (head.epoch !== epoch) {
    throw corrupt(seq, `expected epoch ${String(epoch)}, got ${String(head.epoch)}`);
  }
  const ciphertext = bytes.subarray(SEGMENT_HEAD.ciphertextOffset);
  const [hash, ciphertextHash, plaintext] = await Promise.all([
    sha256(bytes),
    sha256(ciphertext),
    open(key, sealAad('journal', vault, String(seq), epoch), ciphertext).catch((cause: unknown) => {
      throw corrupt(seq, 'the seal does not open', cause);
    }),
  ]);
  const sequence = unpadded(plaintext);
  if (!sequence) throw corrupt(seq, 'the padding is malformed');
  return {
    seq,
    prevHash: new Uint8Array(head.prevHash),
    hash,
    writer: head.writer.every((byte) => byte === 0) ? undefined : toB64Url(head.writer),
    signed: signedMessage(vault, head, ciphertextHash),
    signature: bytes.slice(SEGMENT_HEAD.signatureOffset, SEGMENT_HEAD.ciphertextOffset),
    sequence,
  };
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
