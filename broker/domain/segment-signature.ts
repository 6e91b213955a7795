import { createHash } from 'node:crypto';
import type { VaultId } from '../contract/ids.ts';
import { readSegmentHead, SEGMENT_HEAD } from '../contract/segment.ts';
import { isSignedBy } from './ed25519.ts';
import { BrokerProblem } from './problem.ts';
import { lengthPrefixed } from './state/length-prefixed.ts';

/**
 * What isn’t a segment, or was signed by somebody else, never gets into a log: every reader would have to go on over it
 * for ever.
 * @param publicKey Ed25519, base64url
 * @throws BrokerProblem `input_malformed`
 */
export function requireSigned(vault: VaultId, segment: Uint8Array, publicKey: string | undefined): void {
  const head = readSegmentHead(segment);
  const signature = segment.subarray(SEGMENT_HEAD.signatureOffset, SEGMENT_HEAD.ciphertextOffset);
  if (
    !head ||
    publicKey === undefined ||
    !isSignedBy(publicKey, signedMessage(vault, segment, head), signature)
  ) {
    throw new BrokerProblem('input_malformed', { fields: ['segment'] });
  }
}

/** docs/FORMAT.md §11.1. */
function signedMessage(
  vault: VaultId,
  segment: Uint8Array,
  { seq, epoch, prevHash, writer }: NonNullable<ReturnType<typeof readSegmentHead>>,
): Uint8Array {
  const numbers = Buffer.alloc(12);
  numbers.writeBigUInt64BE(BigInt(seq));
  numbers.writeUInt32BE(epoch, 8);
  const ciphertext = segment.subarray(SEGMENT_HEAD.ciphertextOffset);
  return lengthPrefixed(
    'halfkey/journal/1',
    vault,
    numbers.subarray(0, 8),
    prevHash,
    numbers.subarray(8),
    writer,
    createHash('sha256').update(ciphertext).digest(),
  );
}
