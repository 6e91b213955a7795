import { equalBytes, type Bytes } from '../bytes.ts';
import { verify } from '../crypto/signing.ts';
import { HalfkeyError } from '../errors.ts';
import { isCertified } from './entries/certificate.ts';
import type { FoldableSegment } from './state/fold.ts';
import type { FoldedVault } from './state/folded-vault.ts';
import { decodeOperations } from './entries/operation-codec.ts';
import { MAX_OPERATIONS, type Operation } from './entries/operations.ts';
import { corrupt, NO_HASH, type JournalHead, type OpenedSegment } from './entries/segment.ts';

/** Whom a vault's journal goes back to. */
export interface TrustRoot {
  readonly vault: string;
  readonly account: string;
  /** Ed25519, 32 bytes, from the keyring. */
  readonly identityPublicKey: Bytes;
}

/**
 * Judges a segment at its place in the chain: its writer must be trusted by the state before it, the signature must be his, and it
 * must follow `before`.
 *
 * @param state of everything up to `before`; not changed
 * @param before undefined for the genesis
 * @throws {HalfkeyError} `device_untrusted` for a writer that is not enrolled, or revoked; `journal_corrupt` for a wrong signature
 *   or a genesis of another vault; `fork` when a trusted writer continued another history than this one; each with `seq`
 */
export async function judgeSegment(
  root: TrustRoot,
  state: FoldedVault,
  before: JournalHead | undefined,
  segment: OpenedSegment,
): Promise<FoldableSegment> {
  const { seq, prevHash, writer } = segment;
  const publicKey = writer === undefined ? root.identityPublicKey : state.trustedDevice(writer)?.publicKey;
  if (publicKey === undefined) {
    throw new HalfkeyError('device_untrusted', `segment ${String(seq)} is of no enrolled device`, {
      detail: { seq },
    });
  }
  if (!(await verify(publicKey, segment.signed, segment.signature))) {
    throw corrupt(seq, 'the signature is wrong');
  }
  if (!equalBytes(prevHash, before?.hash ?? NO_HASH)) {
    throw new HalfkeyError('fork', `segment ${String(seq)} follows another history`, { detail: { seq } });
  }
  const { operations, malformed } = decodeOperations(segment.sequence, MAX_OPERATIONS);
  if (seq === 0 && !isGenesisOf(root, writer, operations[0])) {
    throw corrupt(seq, 'no genesis of this vault');
  }
  const certified = await Promise.all(operations.map((operation) => isCredible(root, operation)));
  const credible = operations.filter((_, index) => certified[index]);
  return {
    seq,
    prevHash,
    writer,
    operations: credible,
    malformed: malformed + operations.length - credible.length,
  };
}

function isGenesisOf(root: TrustRoot, writer: string | undefined, first: Operation | undefined): boolean {
  return (
    writer === undefined &&
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
