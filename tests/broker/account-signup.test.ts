import * as opaque from '@serenity-kit/opaque';
import { describe, expect, it } from 'vitest';
import * as contract from '$contract/accounts.ts';
import { AccountClient } from '../support/account-client.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { segmentAfter } from '../support/vault-side.ts';
import { KSF } from '../support/quick-opaque.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { cloud, broker, clock } = setUpBroker();
const newClient = (of: TestBroker = broker): AccountClient =>
  new AccountClient((path, init) => of.app.request(path, init), clock);

/** The first message of a sign-up, and what its last would be. */
async function startSignUp(client: AccountClient, userName: string) {
  await opaque.ready;
  const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password: 'p' });
  const { registrationResponse } = await client.must(contract.signupStart, { userName, registrationRequest });
  return opaque.client.finishRegistration({
    clientRegistrationState,
    registrationResponse,
    password: 'p',
    keyStretching: KSF,
  });
}

describe('the authenticator', () => {
  it('gets a secret of 160 bits, and a link with issuer and user name', async () => {
    const client = newClient();
    const sent: unknown[] = [];
    const { send } = client;
    client.send = async (path, init) => {
      const response = await send(path, init);
      sent.push(await response.clone().json());
      return response;
    };
    await client.signUpUntilFirstCode('Łucja@example.org', 'p');
    expect(client.totpSecret).toMatch(/^[A-Z2-7]{32}$/);
    const { otpauthUri } = sent.at(-1) as { otpauthUri: string };
    const uri = new URL(otpauthUri);
    expect(`${uri.protocol}//${uri.host}`).toBe('otpauth://totp');
    expect(decodeURIComponent(uri.pathname)).toBe('/Halfkey:łucja@example.org');
    expect(uri.searchParams.get('secret')).toBe(client.totpSecret);
    expect(uri.searchParams.get('issuer')).toBe('Halfkey');
  });
});

describe('a user name', () => {
  it.each([
    ['ｆｕｌｌ', 'full'],
    ['MiXeD', 'mixed'],
    ['ﬁve', 'five'],
  ])('%s is the same as %s', async (one, other) => {
    await newClient().signUp(one);
    await expect(newClient().signUp(other)).rejects.toThrow('name_taken');
  });

  it('is not claimed before the last step: of two who want it, the first to complete gets it', async () => {
    const [slow, fast] = [newClient(), newClient()];
    await slow.signUpUntilFirstCode('wanted', 'p');
    await fast.signUp('wanted');
    const reply = await slow.call(contract.signupComplete, await slow.completion());
    expect(reply).toMatchObject({ status: 409, code: 'name_taken' });
    expect((await newClient().knows(fast).signIn('wanted')).account).toBe(fast.account);
  });

  it('goes to exactly one of ten who complete at once', async () => {
    const clients = Array.from({ length: 10 }, () => newClient());
    const requests: Record<string, unknown>[] = [];
    for (const client of clients) {
      await client.signUpUntilFirstCode('contended', 'p');
      requests.push(await client.completion());
    }
    const replies = await Promise.all(
      clients.map((client, place) => client.call(contract.signupComplete, requests[place])),
    );
    const won = clients.filter((_, place) => replies[place]!.ok);
    expect(won).toHaveLength(1);
    const winner = won[0]!;
    expect((await newClient().knows(winner).signIn('contended', 'p')).account).toBe(winner.account);
    const refused = replies.filter(({ ok }) => !ok).map(({ code }) => code);
    expect(refused).toEqual(Array.from({ length: 9 }, () => 'name_taken'));
  });

  it('held by a sign-up that was cut off before it became active goes to the next one', async () => {
    const first = newClient();
    await first.signUpUntilFirstCode('cut-off', 'p');
    const request = await first.completion();
    // This broker claims the name, which is a create, and dies before the account's record is replaced.
    const dying = await startTestBroker(cloud, clock, {
      ports: { state: { ...broker.ports.state, replace: () => Promise.reject(new Error('gone')) } },
    });
    first.send = (path, init) => dying.app.request(path, init);
    expect(await first.call(contract.signupComplete, request)).toMatchObject({ code: 'internal' });
    dying.app.close();

    const second = newClient();
    await second.signUp('cut-off');
    first.send = (path, init) => broker.app.request(path, init);
    expect(await first.call(contract.signupComplete, request)).toMatchObject({ ok: false });
    expect((await newClient().knows(second).signIn('cut-off')).account).toBe(second.account);
  });

  it.each(['', 'a b', 'tab\tbed', 'x'.repeat(65), 'nul\u0000', '\u200b', 'line\nfeed'])(
    'is not %j',
    async (userName) => {
      const reply = await newClient().call(contract.signupStart, { userName, registrationRequest: 'AAAA' });
      expect(reply).toMatchObject({ status: 400, problem: { fields: ['userName'] } });
    },
  );
});

describe('completing', () => {
  it('again with the same bytes is answered as the first time, with the same grant', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('twice', 'p');
    const request = await client.completion();
    const before = client.fork();
    const first = await client.must(contract.signupComplete, request);
    const second = await before.must(contract.signupComplete, request);
    expect(second.grant).toEqual(first.grant);
    expect(second.vaults).toEqual(first.vaults);
    expect(await before.must(contract.sessionRead)).toMatchObject({ account: client.account });
  });

  it('again with other bytes is refused', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('other-bytes', 'p');
    const request = await client.completion();
    const before = client.fork();
    await client.must(contract.signupComplete, request);
    const other = { ...request, keyring: { version: 1, bytes: 'AAAA' } };
    expect(await before.call(contract.signupComplete, other)).toMatchObject({ code: 'already_exists' });
  });

  it('again after signing out opens nothing', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('signed-out', 'p');
    const request = await client.completion();
    const before = client.fork();
    await client.must(contract.signupComplete, request);
    await client.must(contract.sessionEnd);
    expect(await before.call(contract.signupComplete, request)).toMatchObject({ code: 'session_missing' });
  });

  it('needs exactly ten backup codes, and a genesis that is one', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('malformed', 'p');
    const request = await client.completion();
    const hashes = request['backupCodeHashes'] as string[];
    for (const change of [
      { backupCodeHashes: hashes.slice(1) },
      { genesis: 'AAAA' },
      { genesis: Buffer.from(segmentAfter(undefined)).toString('base64url') }, // Not signed.
      { identityPublicKey: client.device.publicKey },
      { device: { id: 'x', publicKey: 'y' } },
      { extra: 1 },
    ]) {
      const reply = await client.call(contract.signupComplete, { ...request, ...change });
      expect(reply).toMatchObject({ status: 400, code: 'input_malformed' });
    }
    expect(await client.call(contract.signupComplete, request)).toMatchObject({ ok: true });
  });
});

describe('a sign-up that waits for its first code', () => {
  it('is over after ten minutes without a step, and its name stays free', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('late', 'p');
    clock.advance(601);
    const reply = await client.call(contract.signupVerify, { factor: await client.nextCode() });
    expect(reply).toMatchObject({ code: 'session_missing' });
    await newClient().signUp('late');
  });

  it('is no account: its name and passphrase open nothing', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('pending', 'p');
    expect(await newClient().provePassphrase('pending', 'p')).toMatchObject({ code: 'login_refused' });
  });

  it('with a record that no login could begin with is refused', async () => {
    const client = newClient();
    const request = { userName: 'nonsense', registrationRecord: 'AAAA', recoveryPublicKey: 'A'.repeat(43) };
    // Nothing was begun.
    expect(await client.call(contract.signupFinish, request)).toMatchObject({ code: 'login_expired' });
    await startSignUp(client, 'nonsense');
    expect(await client.call(contract.signupFinish, request)).toMatchObject({
      status: 400,
      problem: { fields: ['registrationRecord'] },
    });
  });

  it('is of the name that it was begun with', async () => {
    const client = newClient();
    const { registrationRecord } = await startSignUp(client, 'begun');
    const request = { userName: 'another', registrationRecord, recoveryPublicKey: 'A'.repeat(43) };
    expect(await client.call(contract.signupFinish, request)).toMatchObject({ code: 'login_expired' });
  });

  it('gives a name that is free no answer that its account could be guessed at with', async () => {
    const client = newClient();
    const keys = new Set<string>();
    for (let time = 0; time < 3; time += 1) keys.add((await startSignUp(client, 'oracle')).exportKey);
    expect(keys.size).toBe(3);
  });

  it('makes no identity before its first code', async () => {
    const made: string[] = [];
    const identities = cloud.connect().identities;
    const watched = await startTestBroker(cloud, clock, {
      ports: {
        identities: {
          create: (login) => {
            made.push(login);
            return identities.create(login);
          },
        },
      },
    });
    const client = newClient(watched);
    await client.signUpUntilFirstCode('no-code', 'p');
    expect(
      await client.call(contract.signupVerify, { factor: { code: await client.wrongCode() } }),
    ).toMatchObject({ code: 'code_wrong' });
    expect(made).toEqual([]);
    await client.completion();
    expect(made).toHaveLength(1);
    watched.app.close();
  });
});

describe('a closed house', () => {
  it('lets nobody new in', async () => {
    const closed = await startTestBroker(cloud, clock, { settings: { signupOpen: false } });
    await expect(newClient(closed).signUp('stranger')).rejects.toThrow('signup_closed');
    closed.app.close();
  });
});
