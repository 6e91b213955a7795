import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Session } from '../account/session.ts';
import { BrokerProblem } from '../problem.ts';

/** The newest of them last; eight characters of each one's digest are enough to tell it again. */
export const UsedProofs = v.optional(v.array(v.string()));

const TAG_CHARACTERS = 8;

/**
 * A proof is good for minutes, so anyone who has read a whole request could send it again: what costs something
 * remembers the last proofs in the record that it writes in any case.
 * @param used so far
 * @param max remembered; those before are as good as forgotten
 * @returns with this request's
 * @throws BrokerProblem `nonce_stale` when it was used before: its own client asks once more with another
 */
export function withProof(
  used: readonly string[] = [],
  { proofId }: Pick<Session, 'proofId'>,
  max: number,
): string[] {
  if (proofId === undefined) return [...used];
  const tag = createHash('sha256').update(proofId).digest('base64url').slice(0, TAG_CHARACTERS);
  if (used.includes(tag)) throw new BrokerProblem('nonce_stale');
  return [...used, tag].slice(-max);
}
