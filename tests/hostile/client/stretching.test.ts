import * as opaque from '@serenity-kit/opaque';
import { expect } from 'vitest';
import { startLogin } from '../../../src/lib/account/opaque.ts';
import { row } from '../support/row.ts';

const PASSPHRASE = 'seven slow otters under the old bridge';
const userIdentifier = 'AAAAAAAAAAAAAAAAAAAAAA';

row(
  'B9',
  {
    attack: 'key stretching talked down',
    tried:
      'records that the broker made with weaker Argon2id parameters, or none, and parameters put into its answers',
  },
  async (t) => {
    await opaque.ready;
    const serverSetup = opaque.server.createSetup();
    const custom = (memory: number, iterations: number, parallelism: number) =>
      ({ 'argon2id-custom': { memory, iterations, parallelism } }) as const;
    const pinned = custom(65_536, 3, 4);
    const weaker = [
      custom(8, 1, 1),
      custom(64, 1, 1),
      custom(1024, 1, 1),
      custom(32_768, 3, 4),
      custom(65_535, 3, 4),
      custom(65_536, 1, 4),
      custom(65_536, 2, 4),
      custom(65_536, 3, 1),
      // 2 GiB, which kill a phone's tab. (The library's other name, `memory-constrained`, is for the pinned ones.)
      'rfc-draft-recommended',
    ] as const;
    const recordOf = (keyStretching: (typeof weaker)[number] | typeof pinned): string => {
      const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({
        password: PASSPHRASE,
      });
      const { registrationResponse } = opaque.server.createRegistrationResponse({
        serverSetup,
        userIdentifier,
        registrationRequest,
      });
      return opaque.client.finishRegistration({
        clientRegistrationState,
        registrationResponse,
        password: PASSPHRASE,
        keyStretching,
      }).registrationRecord;
    };
    const login = async (registrationRecord: string) => {
      const started = await startLogin(PASSPHRASE);
      const { startLoginRequest } = started;
      const { loginResponse } = opaque.server.startLogin({
        serverSetup,
        userIdentifier,
        registrationRecord,
        startLoginRequest,
      });
      return { started, loginResponse };
    };
    const honest = await login(recordOf(pinned));
    expect(honest.started.finish(honest.loginResponse).exportKey).toHaveLength(64);
    for (const parameters of t.full ? weaker : weaker.slice(0, 8)) {
      const { started, loginResponse } = await login(recordOf(parameters));
      // Refused before anything that depends on the passphrase leaves.
      await t.refuses(
        Promise.resolve().then(() => started.finish(loginResponse)),
        'login_refused',
      );
    }
    for (const added of ['{"keyStretching":"identity"}', '.AAAA', '=', '\u0000']) {
      const { started, loginResponse } = await login(recordOf(pinned));
      await t.refuses(
        Promise.resolve().then(() => started.finish(loginResponse + added)),
        'login_refused',
      );
    }
  },
);
