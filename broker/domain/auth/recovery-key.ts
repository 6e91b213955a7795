import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { b64url } from '../../contract/ids.ts';
import { lengthPrefixed } from '../state/length-prefixed.ts';
import { isSignedBy } from '../ed25519.ts';
import { BrokerProblem } from '../problem.ts';
import type { OneTimeState } from './one-time-state.ts';

/** What a recovery key proves itself for; a signature for one is none for the other. */
type Purpose = 'recovery' | 'factor-reset';

const key = b64url({ exactly: 32 });
const Challenge = v.strictObject({ recoveryPublicKey: key, challenge: key });

/** Looks nothing up, so it says nothing about the key. */
export async function challengeRecoveryKey(state: OneTimeState, recoveryPublicKey: string) {
  const challenge = randomBytes(32).toString('base64url');
  return { answer: { challenge }, state: await state.seal('recovery', { recoveryPublicKey, challenge }) };
}

/**
 * The key whose challenge was answered; whether it is anybody's is still to be seen.
 * @throws BrokerProblem `login_expired`, `recovery_refused`
 */
export async function provenRecoveryKey(
  state: OneTimeState,
  purpose: Purpose,
  signature: string,
  sealedStates: readonly string[],
): Promise<string> {
  const { recoveryPublicKey, challenge } = await state.open('recovery', Challenge, sealedStates);
  if (!isSigned(`halfkey/${purpose}/1`, recoveryPublicKey, challenge, signature)) {
    throw new BrokerProblem('recovery_refused');
  }
  return recoveryPublicKey;
}

/** Ed25519 (RFC 8032) over label, public key and challenge, each length-prefixed. */
function isSigned(label: string, recoveryPublicKey: string, challenge: string, signature: string): boolean {
  const message = lengthPrefixed(
    label,
    Buffer.from(recoveryPublicKey, 'base64url'),
    Buffer.from(challenge, 'base64url'),
  );
  return isSignedBy(recoveryPublicKey, message, Buffer.from(signature, 'base64url'));
}
