import { createHmac } from 'node:crypto';
import * as opaque from '@serenity-kit/opaque';
import { lengthPrefixed } from '../state/length-prefixed.ts';
import { BrokerProblem } from '../problem.ts';
import type { Setup } from '../state/setup.ts';

/** The broker's side of OPAQUE (RFC 9807). Messages are base64url; a malformed one is BrokerProblem `input_malformed`. */
export interface OpaqueServer {
  /** Answers a registration's first message; nothing is kept. */
  register(nameId: string, registrationRequest: string): string;
  /** @throws BrokerProblem `input_malformed` when a login with this record could not even begin */
  checkRecord(nameId: string, registrationRecord: string): void;
  /** @param registrationRecord undefined for a name that does not exist: the answer looks the same */
  startLogin(
    nameId: string,
    registrationRecord: string | undefined,
    startLoginRequest: string,
  ): { loginState: string; loginResponse: string };
  /** @throws BrokerProblem `login_refused`: wrong passphrase, unknown name, or not a message at all */
  finishLogin(loginState: string, finishLoginRequest: string): void;
}

export function createOpaqueServer({ opaqueServerSetup: serverSetup, nameKey }: Setup): OpaqueServer {
  // Not the id in n/<id>: what a client may learn of its identifier says nothing of a key in the bucket.
  const identifierOf = (nameId: string) =>
    createHmac('sha256', nameKey).update(lengthPrefixed('halfkey/opaque/1', nameId)).digest('base64url');

  const server: OpaqueServer = {
    register: (nameId, registrationRequest) =>
      wellFormed('registrationRequest', () => {
        const userIdentifier = identifierOf(nameId);
        return opaque.server.createRegistrationResponse({ serverSetup, userIdentifier, registrationRequest });
      }).registrationResponse,
    checkRecord(nameId, registrationRecord) {
      const { startLoginRequest } = opaque.client.startLogin({ password: '' });
      wellFormed('registrationRecord', () =>
        server.startLogin(nameId, registrationRecord, startLoginRequest),
      );
    },
    startLogin: (nameId, registrationRecord, startLoginRequest) =>
      wellFormed('startLoginRequest', () => {
        const { serverLoginState, loginResponse } = opaque.server.startLogin({
          serverSetup,
          userIdentifier: identifierOf(nameId),
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
