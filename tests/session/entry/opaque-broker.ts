import * as opaque from '@serenity-kit/opaque';
import { signinFinish, signinStart, signupFinish, signupStart } from '$contract/accounts.ts';
import type { Route } from '$contract/route.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { Broker } from '../../../src/lib/remote/broker.ts';

type Answer = (request: never) => unknown;

/**
 * A broker of one account whose passphrase part is OPAQUE's own server; the rest is answered as a test says. To be used
 * with `quickOpaque` in place of the client's library.
 */
export async function openOpaqueBroker(account: string) {
  await opaque.ready;
  const server = {
    setup: opaque.server.createSetup(),
    record: undefined as string | undefined,
    answers: new Map<Route, Answer>(),
    heard: [] as string[],
    /** What the last request of a path asked. */
    requests: new Map<string, unknown>(),
  };
  let loginState = '';
  const identity = { userIdentifier: account };
  const own = new Map<Route, Answer>([
    [
      signupStart,
      ({ registrationRequest }: { registrationRequest: string }) =>
        opaque.server.createRegistrationResponse({
          serverSetup: server.setup,
          ...identity,
          registrationRequest,
        }),
    ],
    [
      signupFinish,
      ({ registrationRecord }: { registrationRecord: string }) => {
        server.record = registrationRecord;
        return { account, totpSecret: 'A'.repeat(32), otpauthUri: 'otpauth://totp/x' };
      },
    ],
    [
      signinStart,
      ({ startLoginRequest }: { startLoginRequest: string }) => {
        const { loginResponse, serverLoginState } = opaque.server.startLogin({
          ...{ serverSetup: server.setup, ...identity, startLoginRequest },
          registrationRecord: server.record ?? null,
        });
        loginState = serverLoginState;
        return { loginResponse };
      },
    ],
    [
      signinFinish,
      ({ finishLoginRequest }: { finishLoginRequest: string }) => {
        opaque.server.finishLogin({ serverLoginState: loginState, finishLoginRequest });
        return { account };
      },
    ],
  ]);
  const broker: Broker = {
    async call(route, request) {
      server.heard.push(route.path);
      server.requests.set(route.path, request);
      const answer = server.answers.get(route) ?? own.get(route);
      if (!answer) throw new HalfkeyError('broker_unreachable', `${route.path} is not served here`);
      return await answer(request as never);
    },
  };
  return Object.assign(server, { broker });
}
