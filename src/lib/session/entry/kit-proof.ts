import { recoveryStart } from '$contract/accounts.ts';
import { recoveryKeyPair, signRecoveryChallenge, type KitPurpose } from '../../account/recovery.ts';
import { fromB64Url, toB64Url, type Bytes } from '../../bytes.ts';
import type { Broker } from '../../remote/broker.ts';

/** The broker's challenge to the kit, answered; to be sent within a minute. @returns a signature, base64url */
export async function signWithKit(
  recoveryEntropy: Bytes,
  purpose: KitPurpose,
  broker: Broker,
): Promise<string> {
  const pair = await recoveryKeyPair(recoveryEntropy);
  const { challenge } = await broker.call(recoveryStart, { recoveryPublicKey: toB64Url(pair.publicKey) });
  return toB64Url(await signRecoveryChallenge(pair, fromB64Url(challenge), purpose));
}
