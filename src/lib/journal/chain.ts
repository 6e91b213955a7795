import { equalBytes, type Bytes } from '../bytes.ts';
import { verify } from '../crypto/signing.ts';
import { HalfkeyError } from '../errors.ts';
import { isCertified } from './entries/certificate.ts';
import type { FoldableSegment } from './state/fold.ts';
import type { FoldedVault } from './state/folded-vault.ts';
import { decodeOperations } from './entries/operation-codec.ts';
import { MAX_OPERATIONS, type Operation } from './entries/operations.ts';
import { unpadded } from './entries/segment-padding.ts';
import { corrupt, FIRST_EPOCH, NO_HASH, type JournalHead, type ReadSegment } from './entries/segment.ts';
import type { JournalKeys } from './journal-keys.ts';

/** Whom a vault's journal goes back to. */
export interface TrustRoot {
  readonly vault: string;
  readonly account: string;
  /** Ed25519, 32 bytes, from the keyring. */
  readonly identityPublicKey: Bytes;
}

/** A segment that stands in the chain and says nothing: anyone who wrote it, the journal goes on after it. */
export interface VoidSegment {
  readonly seq: number;
  /** Whom it names: a device, or the identity key (undefined). */
  readonly writer: string | undefined;
  /**
   * Whether the signature is the writer's. If not, somebody wrote it in that name, and it proves nothing against the
   * device.
   */
  readonly isSigned: boolean;
}

/** What a segment comes to at its place. `voided`: it counts as one operation that makes no sense. */
interface Judgement {
  readonly segment: FoldableSegment;
  readonly voided?: VoidSegment;
}

/**
 * Judges a segment at its place in the chain (docs/FORMAT.md §11.4). Depends on the bytes up to its end and on nothing
 * else, so that every device decides alike.
 *
 * @param state of everything up to `before`; not changed
 * @param before undefined for the genesis
 * @throws {HalfkeyError} `fork` when a trusted writer continued another history than this one; `journal_corrupt` when
 *   anybody else did, or for a segment 0 that is not this vault's genesis; `epoch_key_missing`; each with `seq`
 */
export async function judgeSegment(
  { root, keys }: { readonly root: TrustRoot; readonly keys: JournalKeys },
  state: FoldedVault,
  before: JournalHead | undefined,
  read: ReadSegment,
): Promise<Judgement> {
  const { seq, prevHash, writer } = read;
  if (before !== undefined) await requireKey(keys, state, seq);
  const publicKey = writer === undefined ? root.identityPublicKey : state.devices.get(writer)?.publicKey;
  const isSigned = publicKey !== undefined && (await verify(publicKey, read.signed, read.signature));
  const isTrusted = isSigned && (writer === undefined || state.trustedDevice(writer) !== undefined);
  if (!equalBytes(prevHash, before?.hash ?? NO_HASH)) {
    if (!isTrusted) throw corrupt(seq, 'it follows another segment');
    throw new HalfkeyError('fork', `segment ${String(seq)} follows another history`, { detail: { seq } });
  }
  const { content } = read;
  const counts = isTrusted && read.epoch === state.epoch;
  const isOpened = counts && content.kind === 'opened';
  if (before === undefined && (!isOpened || writer !== undefined || read.epoch !== FIRST_EPOCH)) {
    throw corrupt(seq, 'it is no genesis of this vault');
  }
  if (!counts || content.kind !== 'opened') {
    return {
      segment: { seq, prevHash, writer, operations: [], malformed: 1 },
      voided: { seq, writer, isSigned },
    };
  }
  const sequence = unpadded(content.plaintext);
  const { operations, malformed } = sequence
    ? decodeOperations(sequence, MAX_OPERATIONS)
    : { operations: [], malformed: 1 };
  if (before === undefined && !isGenesisOf(root, operations[0])) {
    throw corrupt(seq, 'it is no genesis of this vault');
  }
  const certified = await Promise.all(operations.map((operation) => isCredible(root, operation)));
  const credible = operations.filter((_, index) => certified[index]);
  return {
    segment: {
      seq,
      prevHash,
      writer,
      operations: credible,
      malformed: malformed + operations.length - credible.length,
    },
  };
}

async function requireKey(keys: JournalKeys, state: FoldedVault, seq: number): Promise<void> {
  try {
    await keys.provenFor(state);
  } catch (error) {
    if (!(error instanceof HalfkeyError) || error.code !== 'epoch_key_missing') throw error;
    throw new HalfkeyError(error.code, error.message, { detail: { seq } });
  }
}

function isGenesisOf(root: TrustRoot, first: Operation | undefined): boolean {
  return (
    first?.kind === 'genesis' &&
    first.vault === root.vault &&
    first.account === root.account &&
    equalBytes(first.identityPublicKey, root.identityPublicKey)
  );
}

/** Folding checks no signatures, so a device without a valid certificate must not get that far. */
async function isCredible(root: TrustRoot, operation: Operation): Promise<boolean> {
  return operation.kind !== 'device-enrol' || isCertified(root.identityPublicKey, root.account, operation);
}
