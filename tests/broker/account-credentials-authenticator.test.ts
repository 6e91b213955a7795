import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as contract from '$contract/credentials.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import type { AccountClient } from '../support/account-client.ts';
import { setUpBrokers } from '../support/set-up-broker.ts';
import { eventKinds, newAuthenticator, prove } from '../support/credentials-client.ts';
import { storedVersions } from '../support/stored-versions.ts';

/** Two brokers on one bucket, each with a queue of its own. */
const { cloud, clock, newClient } = setUpBrokers(2);

/** Signed up, with passphrase and code proven once more. */
async function proven(userName: string): Promise<AccountClient> {
  const client = newClient();
  await client.signUp(userName);
  await proveAgain(client, userName);
  return client;
}

async function proveAgain(client: AccountClient, userName: string): Promise<void> {
  const reply = await prove(client, userName);
  if (!reply.ok) throw new Error(`expected a proof, got ${reply.code}`);
}

const buy = (client: AccountClient, code: string) => client.call(account.grantBuy, { factor: { code } });
const confirm = (client: AccountClient, code: string) => client.call(contract.authenticatorConfirm, { code });
const renewedTimes = async (client: AccountClient): Promise<number> =>
  (await eventKinds(client)).filter((kind) => kind === 'authenticator-renewed').length;

describe('another authenticator', () => {
  it('is for the user’s own name, which its app shows', async () => {
    const client = await proven('Labelled');
    for (const userName of ['labelled', 'LABELLED']) {
      const { totpSecret, otpauthUri } = await client.must(contract.authenticatorRenew, { userName });
      expect(totpSecret).toMatch(/^[A-Z2-7]{32}$/);
      const uri = new URL(otpauthUri);
      expect(decodeURIComponent(uri.pathname)).toMatch(/^(\/\/totp)?\/Halfkey:labelled$/);
      expect(uri.searchParams.get('secret')).toBe(totpSecret);
      expect(uri.searchParams.get('issuer')).toBe('Halfkey');
    }
    await newClient().signUp('somebody-else');
    for (const userName of ['somebody-else', 'nobody']) {
      expect(await client.call(contract.authenticatorRenew, { userName })).toMatchObject({
        status: 400,
        problem: { code: 'input_malformed', fields: ['userName'] },
      });
    }
  });

  it('does not count before its first code: the present one stays good', async () => {
    const client = await proven('not-yet');
    const next = await newAuthenticator(client, 'not-yet');
    const { code } = await client.nextCode();
    expect(await buy(client, await next.code())).toMatchObject({ status: 401, code: 'code_wrong' });
    expect(await confirm(client, code)).toMatchObject({ status: 401, code: 'code_wrong' });
    expect(await buy(client, code)).toMatchObject({ ok: true });
    expect(await renewedTimes(client)).toBe(0);
  });

  it('takes the place of the present one with its first code, which is not good again', async () => {
    const client = await proven('switched');
    const next = await newAuthenticator(client, 'switched');
    const { code } = await next.nextCode();
    expect(await confirm(client, code)).toMatchObject({ ok: true });
    expect(await buy(client, await client.code())).toMatchObject({ status: 401, code: 'code_wrong' });
    expect(await buy(client, await client.code(1))).toMatchObject({ code: 'code_wrong' });
    expect(await buy(client, code)).toMatchObject({ status: 401, code: 'code_used' });
    expect(await buy(client, await next.code(-1))).toMatchObject({ code: 'code_used' });
    expect(await buy(client, await next.code(1))).toMatchObject({ ok: true });
    // The backup codes are no authenticator's.
    const factor = { backupCode: client.backupCodes[0] };
    expect(await client.call(account.grantBuy, { factor })).toMatchObject({ ok: true });
    expect(await renewedTimes(client)).toBe(1);
  });

  it('takes its place when the present one has shown a code of this step already', async () => {
    const client = await proven('same-step');
    const next = await newAuthenticator(client, 'same-step');
    expect(await buy(client, await client.code(1))).toMatchObject({ ok: true });
    expect(await confirm(client, await next.code(-1))).toMatchObject({ ok: true });
    expect(await buy(client, await next.code())).toMatchObject({ ok: true });
  });

  it('may be asked for again: the last one counts', async () => {
    const client = await proven('asked-twice');
    const first = await newAuthenticator(client, 'asked-twice');
    const last = await newAuthenticator(client, 'asked-twice');
    expect(await confirm(client, await first.code())).toMatchObject({ code: 'code_wrong' });
    expect(await confirm(client, await last.code())).toMatchObject({ ok: true });
    expect(await buy(client, (await first.nextCode()).code)).toMatchObject({ code: 'code_wrong' });
    expect(await buy(client, await last.code())).toMatchObject({ ok: true });
  });

  it('ends every session but its own, and every token of before, of whatever stage', async () => {
    const client = await proven('ends-others');
    const other = newClient().knows(client);
    await other.signIn('ends-others');
    const halfway = newClient().knows(client);
    await halfway.provePassphrase('ends-others');
    const { id: grant } = await client.must(account.grantBuy, { factor: await client.nextCode() });
    const next = await newAuthenticator(client, 'ends-others');
    const old = client.fork();
    expect(await confirm(client, (await next.nextCode()).code)).toMatchObject({ ok: true });
    for (const ended of [other, old]) {
      expect(await ended.call(account.sessionRead)).toMatchObject({ status: 401, code: 'session_missing' });
    }
    const request = { factor: await next.nextCode(), device: halfway.device };
    expect(await halfway.call(account.signinCode, request)).toMatchObject({ code: 'session_missing' });
    // Its own goes on, with its grant.
    expect(await client.call(account.sessionRead)).toMatchObject({ ok: true });
    expect(await client.call(account.grantEnd, { grant })).toMatchObject({ ok: true });
    // Anyone who did not hear of it signs in with the new one.
    await other.provePassphrase('ends-others');
    const signIn = { factor: await next.nextCode(), device: other.device };
    expect(await other.call(account.signinCode, signIn)).toMatchObject({ ok: true });
  });

  it('is confirmed within the ten minutes of its proof: a later one begins anew', async () => {
    const client = await proven('slow');
    const other = newClient().knows(client);
    await other.signIn('slow');
    const next = await newAuthenticator(client, 'slow');
    expect(await confirm(other, await next.code())).toMatchObject({ status: 403, code: 'proof_missing' });
    clock.advance(600);
    expect(await confirm(client, await next.code())).toMatchObject({ status: 403, code: 'proof_missing' });
    expect(await renewedTimes(client)).toBe(0);
    await proveAgain(client, 'slow');
    expect(await confirm(client, await next.code())).toMatchObject({ status: 401, code: 'code_wrong' });
    const another = await newAuthenticator(client, 'slow');
    expect(await confirm(client, await another.code())).toMatchObject({ ok: true });
  });

  it('leaves no version of the account with the secret before it', async () => {
    const client = await proven('versions');
    const secrets = async () => {
      const texts = await storedVersions(cloud, stateKeys.account(client.account));
      return texts.map((text) => /"sealedSecret":"([^"]+)"(?:,"nextSecret":"([^"]+)")?/.exec(text));
    };
    await newAuthenticator(client, 'versions');
    const [abandoned] = await secrets();
    const next = await newAuthenticator(client, 'versions');
    const [asked] = await secrets();
    await client.must(contract.authenticatorConfirm, { code: await next.code() });
    const [, old, unused] = abandoned ?? [];
    const [, same, fresh] = asked ?? [];
    expect(new Set([old, unused, fresh]).size).toBe(3);
    expect(same).toBe(old);
    expect((await secrets()).map((found) => found?.slice(1))).toEqual([[fresh, undefined]]);
  });
});

describe('guessing its first code', () => {
  it('counts towards the lock of ten like any other code', async () => {
    const client = await proven('guesses');
    const next = await newAuthenticator(client, 'guesses');
    const wrong = await next.wrongCode();
    for (let tries = 0; tries < 5; tries += 1) {
      expect(await buy(client, wrong)).toMatchObject({ code: 'code_wrong' });
      expect(await confirm(client, wrong)).toMatchObject({ code: 'code_wrong' });
    }
    const { code } = await next.nextCode();
    expect(await confirm(client, code)).toMatchObject({ status: 429, code: 'code_locked' });
    expect(await buy(client, await client.code())).toMatchObject({ code: 'code_locked' });
    expect((await eventKinds(client)).slice(-10)).toEqual([
      ...Array.from({ length: 9 }, () => 'code-refused'),
      'code-locked',
    ]);
    clock.advance(3600);
    await proveAgain(client, 'guesses');
    const another = await newAuthenticator(client, 'guesses');
    expect(await confirm(client, await another.code())).toMatchObject({ ok: true });
    expect(await renewedTimes(client)).toBe(1);
  });

  it('is over with the code that is right: it begins to count anew', async () => {
    const client = await proven('anew');
    const next = await newAuthenticator(client, 'anew');
    const wrong = await next.wrongCode();
    for (let tries = 0; tries < 9; tries += 1) await confirm(client, wrong);
    expect(await confirm(client, await next.code())).toMatchObject({ ok: true });
    for (let tries = 0; tries < 9; tries += 1) {
      expect(await buy(client, wrong)).toMatchObject({ code: 'code_wrong' });
    }
    expect(await buy(client, (await next.nextCode()).code)).toMatchObject({ ok: true });
  });
});

describe('its first code', () => {
  it('that many requests bring at once switches for exactly one of them, across two brokers', async () => {
    const client = await proven('race');
    const next = await newAuthenticator(client, 'race');
    const { code } = await next.nextCode();
    const twins = Array.from({ length: 8 }, () => client.fork());
    const replies = await Promise.all(twins.map((twin) => confirm(twin, code)));
    expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
    const refused = replies.filter(({ ok }) => !ok).map((reply) => reply.code);
    // The last is a broker that met the other at each of its conditional writes, and gave up without an answer.
    const expected = ['code_wrong', 'code_used', 'session_missing', 'store_unreachable'];
    expect(refused.filter((one) => !expected.includes(one ?? ''))).toEqual([]);
    const winner = twins.find((_, index) => replies[index]?.ok);
    if (!winner) throw new Error('expected a winner');
    expect(await buy(winner, code)).toMatchObject({ code: 'code_used' });
    expect(await buy(winner, (await next.nextCode()).code)).toMatchObject({ ok: true });
  });

  it('beside a request for one more either switches or does not count any more', async () => {
    const client = await proven('overtaken');
    const next = await newAuthenticator(client, 'overtaken');
    const twin = client.fork();
    const [confirmed, last] = await Promise.all([
      confirm(client, await next.code()),
      newAuthenticator(twin, 'overtaken'),
    ]);
    const current = confirmed.ok ? next : client;
    expect(await buy(client, (await current.nextCode()).code)).toMatchObject({ ok: true });
    expect(await confirm(client, await last.code())).toMatchObject({ ok: true });
    expect(await buy(client, (await last.nextCode()).code)).toMatchObject({ ok: true });
  });
});
