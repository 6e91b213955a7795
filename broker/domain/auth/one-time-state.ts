import { randomBytes } from 'node:crypto';
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import * as v from 'valibot';
import type { Clock } from '../../ports/clock.ts';
import { BrokerProblem } from '../problem.ts';
import type { Records } from '../state/records.ts';
import { stateKeys } from '../state/state-keys.ts';

/** Between the two messages of a login, of a recovery or of a registration. */
export const STATE_SECONDS = 60;

/** Whose state: one of a login is none of a recovery. */
type StateKind = 'login' | 'recovery' | 'registration';

/**
 * State that the client carries between two messages of a broker that keeps nothing: encrypted, because OPAQUE's is
 * secret (JWE, RFC 7516, dir and A256GCM), and good once.
 */
export interface OneTimeState {
  seal(kind: StateKind, content: Record<string, unknown>): Promise<string>;
  /**
   * Opens the first of the tokens that is ours and not over.
   * @throws BrokerProblem `login_expired` when there is none, or it was opened before, by any broker
   */
  open<S extends v.GenericSchema>(
    kind: StateKind,
    schema: S,
    tokens: readonly string[],
  ): Promise<v.InferOutput<S>>;
}

/** @param stateKey 32 bytes, from `broker/setup` */
export function createOneTimeState(stateKey: Uint8Array, records: Records, clock: Clock): OneTimeState {
  const nowSeconds = () => Math.floor(clock() / 1000);
  const Nonce = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/));

  async function decrypt(kind: StateKind, token: string) {
    try {
      const { payload } = await jwtDecrypt(token, stateKey, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        audience: `halfkey/state/${kind}`,
        requiredClaims: ['exp', 'jti'],
        currentDate: new Date(clock()),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new BrokerProblem('login_expired');
      throw error;
    }
  }

  async function decryptAny(kind: StateKind, tokens: readonly string[]) {
    for (const token of tokens) {
      try {
        return await decrypt(kind, token);
      } catch (error) {
        if (!(error instanceof BrokerProblem)) throw error;
      }
    }
    throw new BrokerProblem('login_expired');
  }

  return {
    seal: (kind, content) =>
      new EncryptJWT({ content })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setAudience(`halfkey/state/${kind}`)
        .setJti(randomBytes(16).toString('base64url'))
        .setExpirationTime(nowSeconds() + STATE_SECONDS)
        .encrypt(stateKey),
    async open(kind, schema, tokens) {
      const payload = await decryptAny(kind, tokens);
      const nonce = v.parse(Nonce, payload.jti);
      const content = v.parse(schema, payload['content']);
      const used = await records.create(stateKeys.used(nonce), { usedAtMs: clock() });
      if (used === 'exists') throw new BrokerProblem('login_expired');
      return content;
    },
  };
}
