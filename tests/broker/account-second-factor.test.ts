import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as contract from '$contract/accounts.ts';
import { authenticatorConfirm } from '$contract/credentials.ts';
import type { Route } from '$contract/route.ts';
import { purgeGrant } from '$contract/vault-keys.ts';
import type { BrokerKms } from '../../broker/ports/kms.ts';
import type { AccountClient } from '../support/account-client.ts';
import { startTestBroker, startTestCloud } from '../support/broker.ts';
import { newAuthenticator, prove } from '../support/credentials-client.ts';
import { setUpBrokers } from '../support/set-up-broker.ts';

/** Two brokers on one bucket, each with a queue of its own. */
const { cloud, clock, brokers, newClient } = setUpBrokers(2);

const buy = (client: AccountClient, code: string) => client.call(contract.grantBuy, { factor: { code } });

describe('a code', () => {
  it.each([
    { steps: -2, outcome: 'code_wrong' },
    { steps: -1, outcome: undefined },
    { steps: 0, outcome: undefined },
    { steps: 1, outcome: undefined },
    { steps: 2, outcome: 'code_wrong' },
  ])('of $steps steps away is answered with $outcome', async ({ steps, outcome }) => {
    const client = newClient();
    await client.signUp(`window${String(steps)}`);
    clock.advance(300);
    expect((await buy(client, await client.code(steps))).code).toBe(outcome);
  });

  it.each(['12345', '1234567', '12345a', '', '１２３４５６', ' 12345'])('is not %j', async (code) => {
    const client = newClient();
    await client.signUp(`malformed${String(code.length)}${code.charCodeAt(0).toString()}`);
    expect(await buy(client, code)).toMatchObject({ status: 400, code: 'input_malformed' });
  });
});

describe('guessing', () => {
  it('locks for an hour, then for two, and says how long', async () => {
    const client = newClient();
    await client.signUp('locks');
    const guessTenTimes = async () => {
      const code = await client.wrongCode();
      for (let tries = 0; tries < 10; tries += 1) {
        expect((await buy(client, code)).code).toBe('code_wrong');
      }
    };
    await guessTenTimes();
    const first = await buy(client, (await client.nextCode()).code);
    expect(first).toMatchObject({ status: 429, code: 'code_locked', problem: { retryAfterSeconds: 3570 } });
    clock.advance(3570);
    await guessTenTimes();
    expect(await buy(client, await client.code())).toMatchObject({
      code: 'code_locked',
      problem: { retryAfterSeconds: 7200 },
    });
    clock.advance(7200);
    expect(await buy(client, await client.code())).toMatchObject({ ok: true });
  });

  it('says from the seventh wrong code on how many may still come, used ones among them', async () => {
    const client = newClient();
    await client.signUp('tries');
    const left: (number | undefined)[] = [];
    const guess = async (code: string) => {
      const reply = await buy(client, code);
      if (reply.ok) throw new Error('expected a refusal');
      left.push(reply.problem.triesLeft);
    };
    const wrong = await client.wrongCode();
    for (let tries = 0; tries < 8; tries += 1) await guess(wrong);
    await guess(await client.code()); // The one that signed up.
    await guess(wrong);
    await guess(wrong);
    expect(left).toEqual([...Array<undefined>(6), 3, 2, 1, 0, undefined]);
  });

  it.each([
    { route: contract.signinCode, stage: 'a sign-in' },
    { route: contract.recoveryCode, stage: 'a recovery' },
    { route: purgeGrant, stage: 'deleting for good' },
  ])('says so at $stage, too', async ({ route, stage }) => {
    const owner = newClient();
    const name = stage.replaceAll(' ', '');
    await owner.signUp(name);
    const client = route === purgeGrant ? owner : newClient().knows(owner);
    if (route === contract.signinCode) await client.provePassphrase(name);
    if (route === contract.recoveryCode) await client.proveRecoveryKey();
    const factor = { code: await client.wrongCode() };
    const request = {
      ...{ factor },
      ...(route === contract.signinCode && { device: client.device }),
      ...(route === contract.recoveryCode && { registrationRequest: randomBytes(32).toString('base64url') }),
    };
    for (let tries = 0; tries < 6; tries += 1) await client.call<Route>(route, request);
    expect(await client.call<Route>(route, request)).toMatchObject({
      code: 'code_wrong',
      problem: { triesLeft: 3 },
    });
  });

  it('says so of the first code of an account, and of another authenticator', async () => {
    const client = newClient();
    await client.signUpUntilFirstCode('tries-first', 'correct horse battery');
    const verify = async () =>
      client.call(contract.signupVerify, { factor: { code: await client.wrongCode() } });
    for (let tries = 0; tries < 6; tries += 1) expect(await verify()).not.toHaveProperty('problem.triesLeft');
    expect(await verify()).toMatchObject({ code: 'code_wrong', problem: { triesLeft: 3 } });

    const other = newClient();
    await other.signUp('tries-other');
    await prove(other, 'tries-other');
    const next = await newAuthenticator(other, 'tries-other');
    const confirm = async () => other.call(authenticatorConfirm, { code: await next.wrongCode() });
    for (let tries = 0; tries < 6; tries += 1) await confirm();
    expect(await confirm()).toMatchObject({ code: 'code_wrong', problem: { triesLeft: 3 } });
  });

  it('begins to count anew after a code that is taken', async () => {
    const client = newClient();
    await client.signUp('anew');
    for (let round = 0; round < 3; round += 1) {
      const code = await client.wrongCode();
      for (let tries = 0; tries < 6; tries += 1) await buy(client, code);
      expect(await buy(client, (await client.nextCode()).code)).toMatchObject({ ok: true });
    }
  });
});

describe('a backup code', () => {
  it('stands for a code once, and opens a locked factor', async () => {
    const client = newClient();
    await client.signUp('backup');
    const guess = await client.wrongCode();
    for (let tries = 0; tries < 10; tries += 1) await buy(client, guess);
    const { code } = await client.nextCode();
    expect(await buy(client, code)).toMatchObject({ code: 'code_locked' });
    const [backupCode] = client.backupCodes;
    expect(await client.call(contract.grantBuy, { factor: { backupCode } })).toMatchObject({ ok: true });
    expect(await buy(client, code)).toMatchObject({ ok: true });
    expect(await client.call(contract.grantBuy, { factor: { backupCode } })).toMatchObject({
      status: 401,
      code: 'backup_code_refused',
    });
  });
});

describe('wrong backup codes', () => {
  const wrong = { factor: { backupCode: 'A'.repeat(16) } };

  it('are slowed down for the session that types them, and for no other', async () => {
    const client = newClient();
    await client.signUp('backup-noise');
    const other = newClient().knows(client);
    await other.signIn('backup-noise');
    for (let count = 0; count < 5; count += 1) {
      expect(await client.call(contract.grantBuy, wrong)).toMatchObject({ code: 'backup_code_refused' });
    }
    expect(await client.call(contract.grantBuy, wrong)).toMatchObject({
      code: 'too_many_requests',
      problem: { retryAfterSeconds: 60 },
    });
    const [backupCode] = client.backupCodes;
    expect(await other.call(contract.grantBuy, { factor: { backupCode } })).toMatchObject({ ok: true });
    clock.advance(60);
    expect(await client.call(contract.grantBuy, wrong)).toMatchObject({ code: 'backup_code_refused' });
  });

  it('are told of once an hour, however many there are', async () => {
    const client = newClient();
    await client.signUp('backup-told');
    const refused = async () =>
      (await client.must(contract.eventsRead, { from: '0' })).events.filter(
        ({ kind }) => kind === 'code-refused',
      ).length;
    for (let count = 0; count < 5; count += 1) await client.call(contract.grantBuy, wrong);
    expect(await refused()).toBe(1);
    clock.advance(3600);
    for (let count = 0; count < 5; count += 1) await client.call(contract.grantBuy, wrong);
    expect(await refused()).toBe(2);
  });
});

describe('when something is away', () => {
  it.each([
    { what: 'the store', port: 'state', code: 'store_unreachable' },
    { what: 'KMS', port: 'kms', code: 'kms_unreachable' },
  ] as const)('$what, a right code buys nothing', async ({ port, code: expected }) => {
    const client = newClient();
    await client.signUp(`away-${port}`);
    const { code } = await client.nextCode();
    const away = await startTestCloud();
    const dead = away.connect();
    await away.stop();
    const { ports } = brokers[0];
    let decrypts = 0;
    const dyingDecrypt: BrokerKms['decrypt'] = (...sealed) =>
      // The first is the broker's start.
      ((decrypts += 1) === 1 ? ports : dead).kms.decrypt(...sealed);
    // Sessions are read from the store that works; the factor's own writes go to one that is gone.
    const half = await startTestBroker(cloud, clock, {
      ports:
        port === 'kms'
          ? { kms: { ...ports.kms, decrypt: dyingDecrypt } }
          : { state: { ...ports.state, replace: (...write) => dead.state.replace(...write) } },
    });
    client.send = (path, init) => half.app.request(path, init);
    expect(await buy(client, code)).toMatchObject({ status: 503, code: expected });
    half.app.close();
    await away.end();
  });
});
