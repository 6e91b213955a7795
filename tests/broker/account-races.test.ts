import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as credentials from '$contract/credentials.ts';
import type { AccountClient } from '../support/account-client.ts';
import { newAuthenticator, prove } from '../support/credentials-client.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

/** What happens in the middle of a request, once. */
let atDecrypt: (() => Promise<void>) | undefined;
/** The same, when the account is read for the n-th time from now on. */
let atRead: { left: number; run: () => Promise<void> } | undefined;

const { newClient } = setUpBroker((cloud) => {
  const { kms, state } = cloud.connect();
  return {
    ports: {
      kms: {
        ...kms,
        decrypt: async (...args) => {
          const run = atDecrypt;
          atDecrypt = undefined;
          const answer = await kms.decrypt(...args);
          await run?.();
          return answer;
        },
      },
      state: {
        ...state,
        read: async (key) => {
          if (atRead && key.startsWith('a/') && (atRead.left -= 1) === 0) {
            const { run } = atRead;
            atRead = undefined;
            await run();
          }
          return state.read(key);
        },
      },
    },
  };
});

/** Somebody who has proven passphrase and code, and is about to confirm another authenticator. */
async function renewing(userName: string) {
  const own = newClient();
  await own.signUp(userName);
  expect(await prove(own, userName)).toMatchObject({ ok: true });
  const twin = await newAuthenticator(own, userName);
  const confirm = async () => {
    await own.must(credentials.authenticatorConfirm, { code: await twin.code() });
  };
  return { own, twin, confirm };
}

describe('an authenticator that is replaced while a code of it is looked at', () => {
  it.each<[string, (client: AccountClient) => Promise<{ ok: boolean }>]>([
    ['buys nothing', async (client) => client.call(account.grantBuy, { factor: await client.nextCode() })],
    [
      'signs nobody in',
      async (client) =>
        client.call(account.signinCode, { factor: await client.nextCode(), device: client.device }),
    ],
  ])('%s any more', async (what, ask) => {
    const userName = what.replaceAll(' ', '-');
    const { own, confirm } = await renewing(userName);
    const other = newClient().knows(own);
    if (what.startsWith('buys')) await other.signIn(userName);
    else await other.provePassphrase(userName);
    atDecrypt = confirm;
    expect(await ask(other)).toMatchObject({ ok: false });
    expect(atDecrypt).toBeUndefined();
  });
});

describe('a recovery', () => {
  it('does not outlive a renewal of the authenticator that lands in between', async () => {
    const { own, confirm } = await renewing('overtaken');
    const recovering = newClient().knows(own);
    await recovering.proveRecoveryKey();
    const request = await recovering.recover('another passphrase');
    // The first read is of the session that it asks with.
    atRead = { left: 2, run: confirm };
    expect(await recovering.call(account.recoveryComplete, request)).toMatchObject({
      code: 'session_missing',
    });
    expect(atRead).toBeUndefined();
    expect(await own.call(account.sessionRead)).toMatchObject({ ok: true });
  });
});
