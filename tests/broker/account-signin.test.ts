import * as opaque from '@serenity-kit/opaque';
import { describe, expect, it } from 'vitest';
import * as contract from '$contract/accounts.ts';
import { LOGIN_INTERVAL_MS, LOGINS_AT_ONCE } from '../../broker/domain/auth/login-pace.ts';
import type { StateStore } from '../../broker/ports/state.ts';
import type { AccountClient } from '../support/account-client.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

/** What the broker asked of the store, as `read n/`. */
const asked: string[] = [];
const { clock, newClient } = setUpBroker(({ connect }) => ({ ports: { state: watched(connect().state) } }));

function watched(state: StateStore): StateStore {
  const note = (what: string, key: string) => asked.push(`${what} ${key.slice(0, 2)}`);
  return {
    ...state,
    read: (key) => (note('read', key), state.read(key)),
    create: (key, bytes) => (note('create', key), state.create(key, bytes)),
    replace: (key, bytes, etag) => (note('replace', key), state.replace(key, bytes, etag)),
  };
}

describe('who does not know the passphrase', () => {
  it('gets no further with any passphrase but the right one', async () => {
    await newClient().signUp('strict', 'right');
    expect(await newClient().provePassphrase('strict', 'wrong')).toMatchObject({
      status: 401,
      code: 'login_refused',
    });
    expect(await newClient().provePassphrase('strict', 'right')).toMatchObject({ ok: true });
  });
});

describe('what lies between the two messages', () => {
  it('is good once, for a minute, and for the login that it was made in', async () => {
    await newClient().signUp('states', 'p');
    const client = newClient();
    const { reply, finish } = await client.startSignIn('states', 'p');
    const { finishLoginRequest } = finish(reply.ok ? reply.answer.loginResponse : '')!;
    const twin = client.fork();
    expect(await client.call(contract.signinFinish, { finishLoginRequest })).toMatchObject({ ok: true });
    expect(await twin.call(contract.signinFinish, { finishLoginRequest })).toMatchObject({
      status: 401,
      code: 'login_expired',
    });
    expect(await newClient().call(contract.signinFinish, { finishLoginRequest })).toMatchObject({
      code: 'login_expired',
    });
  });

  it('that twenty requests bring at once is good for exactly one', async () => {
    await newClient().signUp('state-race', 'p');
    const client = newClient();
    const { reply, finish } = await client.startSignIn('state-race', 'p');
    const { finishLoginRequest } = finish(reply.ok ? reply.answer.loginResponse : '')!;
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => client.fork().call(contract.signinFinish, { finishLoginRequest })),
    );
    expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('is over after 60 seconds', async () => {
    await newClient().signUp('slow', 'p');
    for (const [seconds, expected] of [
      [59, undefined],
      [61, 'login_expired'],
    ] as const) {
      const client = newClient();
      const { reply, finish } = await client.startSignIn('slow', 'p');
      const { finishLoginRequest } = finish(reply.ok ? reply.answer.loginResponse : '')!;
      clock.advance(seconds);
      expect((await client.call(contract.signinFinish, { finishLoginRequest })).code).toBe(expected);
    }
  });

  it('shows nothing, and is not taken with a bit changed', async () => {
    await newClient().signUp('opaque-state', 'p');
    const client = newClient();
    const { reply, finish } = await client.startSignIn('opaque-state', 'p');
    const { finishLoginRequest } = finish(reply.ok ? reply.answer.loginResponse : '')!;
    const state = client.cookies.get('halfkey-state')!;
    const [header = '', wrappedKey] = state.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'dir', enc: 'A256GCM' });
    expect(wrappedKey).toBe('');
    const at = state.length - 30;
    const changed = state.slice(0, at) + (state[at] === 'A' ? 'B' : 'A') + state.slice(at + 1);
    client.cookies.set('halfkey-state', changed);
    expect(await client.call(contract.signinFinish, { finishLoginRequest })).toMatchObject({
      code: 'login_expired',
    });
  });

  it('of a recovery is none of a login', async () => {
    const client = newClient();
    await client.must(contract.recoveryStart, { recoveryPublicKey: 'A'.repeat(43) });
    const finishLoginRequest = 'A'.repeat(86);
    expect(await client.call(contract.signinFinish, { finishLoginRequest })).toMatchObject({
      code: 'login_expired',
    });
  });
});

describe('guessing passphrases', () => {
  const start = async (client: AccountClient, userName: string) => {
    const { startLoginRequest } = opaque.client.startLogin({ password: 'guess' });
    return client.call(contract.signinStart, { userName, startLoginRequest });
  };

  it.each(['victim', 'nobody'])(
    'is slowed down at its start, whether or not there is a %s',
    async (userName) => {
      const replies = await Promise.all(Array.from({ length: 60 }, () => start(newClient(), userName)));
      expect(replies.filter(({ ok }) => ok)).toHaveLength(LOGINS_AT_ONCE);
      const slowed = await start(newClient(), userName);
      expect(slowed).toMatchObject({ status: 429, code: 'too_many_requests' });
      expect(slowed.ok ? undefined : slowed.problem.retryAfterSeconds).toBe(LOGIN_INTERVAL_MS / 1000);
      clock.advance(LOGIN_INTERVAL_MS / 1000);
      expect(await start(newClient(), userName)).toMatchObject({ ok: true });
      expect(await start(newClient(), userName)).toMatchObject({ code: 'too_many_requests' });
    },
  );

  it('with the cookie of a device of another account is a stranger', async () => {
    await newClient().signUp('target');
    const other = newClient();
    await other.signUp('other-device');
    while ((await start(newClient(), 'target')).ok);
    expect(await start(other, 'target')).toMatchObject({ code: 'too_many_requests' });
  });
});

describe('a device', () => {
  it('that claims the id of another with another key is refused, and the code is spent on nothing', async () => {
    const owner = newClient();
    await owner.signUp('device-ids');
    const second = newClient().knows(owner);
    await second.provePassphrase('device-ids');
    const device = { id: owner.device.id, publicKey: second.device.publicKey };
    const factor = await second.nextCode();
    expect(await second.call(contract.signinCode, { factor, device })).toMatchObject({
      code: 'already_exists',
    });
    expect(await second.call(contract.signinCode, { factor, device: second.device })).toMatchObject({
      ok: true,
    });
  });
});
