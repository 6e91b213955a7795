import { createHmac } from 'node:crypto';
import * as opaque from '@serenity-kit/opaque';
import { lengthPrefixed } from '../state/length-prefixed.ts';
import { BrokerProblem } from '../problem.ts';
import type { Setup } from '../state/setup.ts';

/**
 * The broker's side of OPAQUE (RFC 9807). Messages are base64url; a malformed one is BrokerProblem `input_malformed`.
 */
export interface OpaqueServer {
  /**
   * A credential identifier for a name that has no account, always the same: its answers are like those of one that
   * has. Nothing is registered under it.
   */
  absentId(nameId: string): string;
  /**
   * Answers a registration's first message; nothing is kept.
   * @param credentialId random, the account's from then on
   */
  register(credentialId: string, registrationRequest: string): string;
  /** @throws BrokerProblem `input_malformed` when a login with this record could not even begin */
  checkRecord(credentialId: string, registrationRecord: string): void;
  /** @param registrationRecord undefined for a name that does not exist: the answer looks the same */
  startLogin(
    credentialId: string,
    registrationRecord: string | undefined,
    startLoginRequest: string,
  ): { loginState: string; loginResponse: string };
  /** @throws BrokerProblem `login_refused`: wrong passphrase, unknown name, or not a message at all */
  finishLogin(loginState: string, finishLoginRequest: string): void;
}

export function createOpaqueServer({ opaqueServerSetup: serverSetup, nameKey }: Setup): OpaqueServer {
  const server: OpaqueServer = {
    absentId: (nameId) =>
      createHmac('sha256', nameKey).update(lengthPrefixed('halfkey/opaque/1', nameId)).digest('base64url'),
    register: (userIdentifier, registrationRequest) =>
      wellFormed('registrationRequest', () => {
        return opaque.server.createRegistrationResponse({ serverSetup, userIdentifier, registrationRequest });
      }).registrationResponse,
    checkRecord(credentialId, registrationRecord) {
      const { startLoginRequest } = opaque.client.startLogin({ password: '' });
      wellFormed('registrationRecord', () =>
        server.startLogin(credentialId, registrationRecord, startLoginRequest),
      );
    },
    startLogin: (userIdentifier, registrationRecord, startLoginRequest) =>
      wellFormed('startLoginRequest', () => {
        const { serverLoginState, loginResponse } = opaque.server.startLogin({
          serverSetup,
          userIdentifier,
          registrationRecord: registrationRecord ?? null,
          startLoginRequest,
        });
        return { loginState: serverLoginState, loginResponse };
      }),
    finishLogin(serverLoginState, finishLoginRequest) {
      try {
        opaque.server.finishLogin({ serverLoginState, finishLoginRequest });
      } catch {
        throw new BrokerProblem('login_refused');
      }
    },
  };
  return server;
}

/** The library throws a plain Error on what it cannot read. */
function wellFormed<Result>(field: string, run: () => Result): Result {
  try {
    return run();
  } catch {
    throw new BrokerProblem('input_malformed', { fields: [field] });
  }
}
