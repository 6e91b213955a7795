import { expect, it } from 'vitest';
import { recoveryStart } from '$contract/accounts.ts';
import { recoveryKeyPair, signRecoveryChallenge } from '../../../src/lib/account/recovery.ts';
import { toB64Url } from '../../../src/lib/bytes.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import type { Broker } from '../../../src/lib/remote/broker.ts';
import { signWithKit } from '../../../src/lib/session/entry/kit-proof.ts';

it.each(['recovery', 'factor-reset'] as const)(
  'answers the broker’s challenge for %s, and shows it no secret',
  async (purpose) => {
    const entropy = randomBytes(32);
    const challenge = randomBytes(32);
    const asked: unknown[] = [];
    const broker = {
      call: (route: unknown, request: unknown) => {
        asked.push(route, request);
        return Promise.resolve({ challenge: toB64Url(challenge) });
      },
    } as unknown as Broker;
    const signature = await signWithKit(entropy, purpose, broker);
    const pair = await recoveryKeyPair(entropy);
    expect(asked).toEqual([recoveryStart, { recoveryPublicKey: toB64Url(pair.publicKey) }]);
    expect(signature).toBe(toB64Url(await signRecoveryChallenge(pair, challenge, purpose)));
    const other = purpose === 'recovery' ? 'factor-reset' : 'recovery';
    expect(signature).not.toBe(toB64Url(await signRecoveryChallenge(pair, challenge, other)));
  },
);
