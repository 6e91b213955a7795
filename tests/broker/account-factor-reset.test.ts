import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as contract from '$contract/factor-reset.ts';
import * as credentials from '$contract/credentials.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import type { AccountClient } from '../support/account-client.ts';
import { setUpBrokers } from '../support/set-up-broker.ts';
import {
  askFactorReset,
  pairNext,
  resetFactor,
  WAIT_SECONDS,
  waitForFactorReset,
} from '../support/factor-reset-client.ts';
import {
  eventKinds,
  newAuthenticator,
  newKit,
  passphraseRequest,
  prove,
} from '../support/credentials-client.ts';
import { storedVersions } from '../support/stored-versions.ts';

const DAY_SECONDS = 24 * 60 * 60;

/** Two brokers on one bucket. */
const { cloud, clock, newClient } = setUpBrokers(2);

/** Somebody at home, and the same person at a browser where nobody is signed in. */
async function atHome(userName: string): Promise<{ home: AccountClient; away: AccountClient }> {
  const home = newClient();
  await home.signUp(userName);
  return { home, away: newClient().knows(home) };
}

const pendingOf = async (client: AccountClient) => (await client.must(account.sessionRead)).factorReset;
const confirm = (client: AccountClient, code: string) =>
  client.call(contract.factorResetConfirm, { code, device: client.device });

describe('asking for an authenticator without a code', () => {
  it('wants the passphrase, and the kit’s signature made for this', async () => {
    const { home, away } = await atHome('both');
    const signature = randomBytes(64).toString('base64url');
    expect(await away.call(contract.factorResetAsk, { signature })).toMatchObject({
      code: 'session_missing',
    });
    await away.provePassphrase('both');
    expect(await away.call(contract.factorResetAsk, { signature })).toMatchObject({ code: 'login_expired' });
    const refused = async (label: string, key = away.recovery) => {
      const request = { signature: await away.signWithKit(label, key) };
      expect(await away.call(contract.factorResetAsk, request)).toMatchObject({
        status: 401,
        code: 'recovery_refused',
      });
    };
    await refused('halfkey/recovery/1');
    await refused('halfkey/factor-reset/1', generateKeyPairSync('ed25519'));
    const other = newClient();
    await other.signUp('both-other');
    await refused('halfkey/factor-reset/1', other.recovery);
    expect(await pendingOf(home)).toBeUndefined();
    expect(await pendingOf(other)).toBeUndefined();
    expect(await eventKinds(home)).not.toContain('factor-reset-asked');
    // Nor is a signature for this one for a recovery.
    const forThis = { signature: await away.signWithKit('halfkey/factor-reset/1') };
    expect(await away.call(account.recoveryProve, forThis)).toMatchObject({ code: 'recovery_refused' });
  });

  it('uses a challenge up', async () => {
    const { away } = await atHome('once');
    await away.provePassphrase('once');
    const signature = await away.signWithKit('halfkey/factor-reset/1');
    const twin = away.fork();
    expect(await away.call(contract.factorResetAsk, { signature })).toMatchObject({ ok: true });
    expect(await twin.call(contract.factorResetAsk, { signature })).toMatchObject({ code: 'login_expired' });
  });

  it('begins one wait, which every device hears of, however often it is asked for', async () => {
    const { home, away } = await atHome('one-wait');
    const askedAtMs = clock.nowMs;
    expect(await askFactorReset(away, 'one-wait')).toMatchObject({ answer: { waitSeconds: WAIT_SECONDS } });
    clock.advance(60);
    expect(await askFactorReset(away, 'one-wait')).toMatchObject({
      answer: { waitSeconds: WAIT_SECONDS - 60 },
    });
    const dueAtMs = askedAtMs + WAIT_SECONDS * 1000;
    expect(await pendingOf(home)).toEqual({ askedAtMs, dueAtMs });
    expect((await eventKinds(home)).filter((kind) => kind === 'factor-reset-asked')).toHaveLength(1);
    // The authenticator that is there after all is as good as before.
    expect(
      await away.call(account.signinCode, { factor: await home.nextCode(), device: away.device }),
    ).toMatchObject({
      ok: true,
    });
    expect(await pendingOf(away)).toEqual({ askedAtMs, dueAtMs });
  });

  it('asked by two at once begins one wait', async () => {
    const { home } = await atHome('at-once');
    const askers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = newClient().knows(home);
        await client.provePassphrase('at-once');
        return { client, signature: await client.signWithKit('halfkey/factor-reset/1') };
      }),
    );
    const replies = await Promise.all(
      askers.map(({ client, signature }) => client.call(contract.factorResetAsk, { signature })),
    );
    for (const reply of replies) expect(reply).toMatchObject({ answer: { waitSeconds: WAIT_SECONDS } });
  });
});

describe('the wait', () => {
  it('lets nobody pair before it is over', async () => {
    const { home, away } = await atHome('early');
    await askFactorReset(away, 'early');
    clock.advance(WAIT_SECONDS - 1);
    const reply = await askFactorReset(away, 'early');
    expect(reply).toMatchObject({ answer: { waitSeconds: 1 } });
    for (const [route, request] of [
      [contract.factorResetSecret, { userName: 'early' }],
      [contract.factorResetConfirm, { code: await home.code(), device: away.device }],
    ] as const) {
      expect(await away.call(route, request)).toMatchObject({ code: 'session_missing' });
    }
    clock.advance(1);
    expect(await askFactorReset(away, 'early')).toMatchObject({ answer: { waitSeconds: 0 } });
  });

  it('is stopped by anybody who is signed in, at whatever moment', async () => {
    const { home, away } = await atHome('stopped');
    await askFactorReset(away, 'stopped');
    expect(await home.call(contract.factorResetStop)).toMatchObject({ ok: true });
    expect(await home.call(contract.factorResetStop)).toMatchObject({ ok: true });
    expect(await pendingOf(home)).toBeUndefined();
    expect((await eventKinds(home)).filter((kind) => kind === 'factor-reset-stopped')).toHaveLength(1);
    clock.advance(WAIT_SECONDS);
    expect(await askFactorReset(away, 'stopped')).toMatchObject({ answer: { waitSeconds: WAIT_SECONDS } });

    // Between the secret and its first code, too.
    clock.advance(WAIT_SECONDS);
    await waitForFactorReset(away, 'stopped', clock);
    const next = await pairNext(away, 'stopped');
    await home.must(contract.factorResetStop);
    expect(await confirm(away, await next.code())).toMatchObject({ code: 'session_missing' });
    expect(await home.call(account.grantBuy, { factor: await home.nextCode() })).toMatchObject({ ok: true });
  });

  it('is told of once at each broker, however many stop it at the same moment', async () => {
    const { home, away } = await atHome('stopped-at-once');
    await askFactorReset(away, 'stopped-at-once');
    await Promise.all(Array.from({ length: 20 }, () => home.must(contract.factorResetStop)));
    const told = (await eventKinds(home)).filter((kind) => kind === 'factor-reset-stopped');
    expect(told.length).toBeLessThanOrEqual(2);
  });

  it('is over a month after it was asked for', async () => {
    const { home, away } = await atHome('lapsed');
    await askFactorReset(away, 'lapsed');
    clock.advance(30 * DAY_SECONDS - 1);
    expect(await askFactorReset(away, 'lapsed')).toMatchObject({ answer: { waitSeconds: 0 } });
    const next = await pairNext(away, 'lapsed');
    clock.advance(1);
    expect(await confirm(away, await next.code())).toMatchObject({ code: 'session_missing' });
    expect(await askFactorReset(away, 'lapsed')).toMatchObject({ answer: { waitSeconds: WAIT_SECONDS } });
    expect(
      (await eventKinds(await signedInAgain(home, 'lapsed'))).filter((kind) => kind === 'factor-reset-asked'),
    ).toHaveLength(2);
  });

  it.each([
    [
      'another passphrase',
      async (home: AccountClient, userName: string) => {
        await prove(home, userName);
        await home.must(credentials.passphraseRenew, await passphraseRequest(home, 'quite another'));
      },
      'quite another',
    ],
    [
      'another authenticator',
      async (home: AccountClient, userName: string) => {
        await prove(home, userName);
        const next = await newAuthenticator(home, userName);
        await home.must(credentials.authenticatorConfirm, { code: (await next.nextCode()).code });
      },
      undefined,
    ],
    [
      'a recovery',
      async (home: AccountClient) => {
        const client = newClient().knows(home);
        await client.proveRecoveryKey();
        await client.must(account.recoveryComplete, await client.recover('quite another'));
      },
      'quite another',
    ],
  ])('begins anew with %s', async (name, change, passphrase) => {
    const userName = name.replaceAll(' ', '-');
    const { home, away } = await atHome(userName);
    await waitForFactorReset(away, userName, clock);
    const old = away.fork();
    await change(home, userName);
    expect(await old.call(contract.factorResetSecret, { userName })).toMatchObject({
      code: 'session_missing',
    });
    expect(await askFactorReset(away, userName, passphrase)).toMatchObject({
      answer: { waitSeconds: WAIT_SECONDS },
    });
  });

  it('begins anew with another kit, and only with that', async () => {
    const { home, away } = await atHome('other-kit');
    await waitForFactorReset(away, 'other-kit', clock);
    const old = away.fork();
    await prove(home, 'other-kit');
    const { recovery, request } = newKit();
    await home.must(credentials.kitRenew, request);
    expect(await pendingOf(home)).toBeUndefined();
    expect(await old.call(contract.factorResetSecret, { userName: 'other-kit' })).toMatchObject({
      code: 'session_missing',
    });
    expect(await askFactorReset(away, 'other-kit')).toMatchObject({ code: 'recovery_refused' });
    Object.assign(away, { recovery });
    expect(await askFactorReset(away, 'other-kit')).toMatchObject({ answer: { waitSeconds: WAIT_SECONDS } });
  });
});

describe('the authenticator that is paired then', () => {
  it('takes the place of the lost one, and ends all that was before it', async () => {
    const { home, away } = await atHome('paired');
    const halfway = newClient().knows(home);
    await waitForFactorReset(away, 'paired', clock);
    await halfway.provePassphrase('paired');
    const next = await pairNext(away, 'paired');
    expect(await confirm(away, await away.code())).toMatchObject({ status: 401, code: 'code_wrong' });
    const { code } = await next.nextCode();
    const twin = away.fork();
    expect(await confirm(away, code)).toMatchObject({ ok: true, answer: { grant: {}, keyring: {} } });
    away.totpSecret = next.totpSecret;
    // What it was before can no longer be looked up.
    expect(await storedVersions(cloud, stateKeys.account(away.account))).toHaveLength(1);

    expect(await confirm(twin, code)).toMatchObject({ code: 'session_missing' });
    expect(await home.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
    const late = { factor: await next.nextCode(), device: halfway.device };
    expect(await halfway.call(account.signinCode, late)).toMatchObject({ code: 'session_missing' });

    const buy = (factor: unknown) => away.call(account.grantBuy, { factor });
    expect(await buy({ code })).toMatchObject({ code: 'code_used' });
    expect(await buy({ code: await home.code(1) })).toMatchObject({ code: 'code_wrong' });
    expect(await buy({ backupCode: home.backupCodes[0] })).toMatchObject({ code: 'backup_code_refused' });
    expect(await buy({ code: await next.code(1) })).toMatchObject({ ok: true });
    expect(await pendingOf(away)).toBeUndefined();
    expect(await eventKinds(away)).toEqual(
      expect.arrayContaining(['factor-reset-asked', 'authenticator-renewed']),
    );
  });

  it('is for the account’s own name', async () => {
    const { away } = await atHome('own-name');
    await waitForFactorReset(away, 'own-name', clock);
    expect(await away.call(contract.factorResetSecret, { userName: 'somebody-else' })).toMatchObject({
      problem: { code: 'input_malformed', fields: ['userName'] },
    });
  });

  it('is not guessed: ten wrong codes lock it', async () => {
    const { away } = await atHome('guessed');
    await waitForFactorReset(away, 'guessed', clock);
    const next = await pairNext(away, 'guessed');
    for (let guess = 0; guess < 10; guess += 1) {
      expect(await confirm(away, await next.wrongCode())).toMatchObject({ code: 'code_wrong' });
    }
    expect(await confirm(away, await next.code())).toMatchObject({ status: 429, code: 'code_locked' });
  });

  it('lets its owner sign in on other devices, and lose it again', async () => {
    const { home, away } = await atHome('twice');
    await resetFactor(away, 'twice', clock);
    const other = newClient().knows(away);
    await other.signIn('twice');
    const again = newClient().knows(home);
    expect(await askFactorReset(again, 'twice')).toMatchObject({ answer: { waitSeconds: WAIT_SECONDS } });
    expect(await pendingOf(other)).toBeDefined();
  });
});

/** Its session has run out meanwhile. */
async function signedInAgain(client: AccountClient, userName: string): Promise<AccountClient> {
  const again = newClient().knows(client);
  await again.signIn(userName);
  return again;
}
