import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as contract from '$contract/credentials.ts';
import { keysGenerate } from '$contract/vault-keys.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import type { AccountClient } from '../support/account-client.ts';
import { eventKinds, newKit, passphraseRequest, prove } from '../support/credentials-client.ts';
import { storedVersions } from '../support/stored-versions.ts';
import { newBlobId } from '../support/vault-side.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const OLD = 'correct horse battery';
const NEW = 'staple and another horse';

const { cloud, clock, newClient } = setUpBroker();

/** Signed up, with passphrase and code proven once more. */
async function proven(userName: string): Promise<AccountClient> {
  const client = newClient();
  await client.signUp(userName, OLD);
  await proveAgain(client, userName);
  return client;
}

async function proveAgain(client: AccountClient, userName: string): Promise<void> {
  const reply = await prove(client, userName, { passphrase: OLD });
  if (!reply.ok) throw new Error(`expected a proof, got ${reply.code}`);
}

async function renew(client: AccountClient, passphrase = NEW, version = 2): Promise<void> {
  await client.must(contract.passphraseRenew, await passphraseRequest(client, passphrase, version));
}

const signsIn = async (userName: string, passphrase: string): Promise<boolean> => {
  const reply = await newClient().provePassphrase(userName, passphrase);
  const outcome = reply.ok ? 'in' : `${String(reply.status)} ${reply.code}`;
  expect(['in', '401 login_refused']).toContain(outcome);
  return reply.ok;
};
const isLive = async (client: AccountClient): Promise<boolean> => {
  const { ok, code } = await client.call(account.sessionRead);
  expect(['live', 'session_missing']).toContain(ok ? 'live' : code);
  return ok;
};
const ended = { status: 401, code: 'session_missing' };

describe('another passphrase', () => {
  it('signs in, with its keyring, and the one before does not', async () => {
    const client = await proven('signs-in');
    const request = await passphraseRequest(client, NEW);
    expect(await signsIn('signs-in', OLD)).toBe(true);
    await client.must(contract.passphraseRenew, request);
    expect(await signsIn('signs-in', OLD)).toBe(false);
    const other = newClient().knows(client);
    expect(await other.signIn('signs-in', NEW)).toMatchObject({
      account: client.account,
      keyring: request.keyring,
    });
    // The kit is what it was.
    expect(await newClient().proveRecoveryKey(client.recovery)).toMatchObject({ ok: true });
  });

  it('ends every session but its own, which goes on with its grant', async () => {
    const client = newClient();
    const { grant } = await client.signUp('sessions', OLD);
    const others = [newClient().knows(client), newClient().knows(client)];
    for (const other of others) await other.signIn('sessions', OLD);
    await proveAgain(client, 'sessions');
    const stolen = client.fork();
    await renew(client);
    expect(await Promise.all([client, stolen, ...others].map(isLive))).toEqual([true, false, false, false]);
    expect((await client.must(account.sessionRead)).device).toBe(client.device.id);
    const order = { grant: grant.id, purpose: 'file', epoch: 0, blobs: [newBlobId()] };
    expect(await client.call(keysGenerate, order)).toMatchObject({ ok: true });
    clock.advance(30 * 24 * 3600 - 1);
    expect(await isLive(client)).toBe(true);
    clock.advance(1);
    expect(await isLive(client)).toBe(false);
  });

  it('ends what was begun with the one before: a sign-in before its code, and a recovery', async () => {
    const client = await proven('under-way');
    const [code, recovery, recovered] = [newClient(), newClient(), newClient()];
    for (const begun of [code, recovery, recovered]) begun.knows(client);
    await code.provePassphrase('under-way', OLD);
    await recovery.proveRecoveryKey();
    await recovered.proveRecoveryKey();
    const completion = await recovered.recover('a third one');
    await renew(client);
    const factor = await client.nextCode();
    expect(await code.call(account.signinCode, { factor, device: code.device })).toMatchObject(ended);
    const first = { factor, registrationRequest: 'AAAA' };
    expect(await recovery.call(account.recoveryCode, first)).toMatchObject(ended);
    const newer = { ...completion, keyring: { ...completion.keyring, version: 9 } };
    expect(await recovered.call(account.recoveryComplete, newer)).toMatchObject(ended);
    expect(await client.call(account.grantBuy, { factor })).toMatchObject({ ok: true });
  });

  it('refuses a login that was begun with the one before', async () => {
    const client = await proven('login-under-way');
    const other = newClient().knows(client);
    const { reply, finish } = await other.startSignIn('login-under-way', OLD);
    const { finishLoginRequest } = finish(reply.ok ? reply.answer.loginResponse : '')!;
    await renew(client);
    // Its proof was right when it began, and gets no further than the code.
    await other.call(account.signinFinish, { finishLoginRequest });
    const factor = await client.nextCode();
    expect(await other.call(account.signinCode, { factor, device: other.device })).toMatchObject(ended);
  });

  it('leaves what was proven as it is, and no longer', async () => {
    const client = await proven('still-proven');
    await renew(client);
    await client.must(contract.kitRenew, newKit(3).request);
    clock.advance(600);
    expect(await client.call(contract.kitRenew, newKit(4).request)).toMatchObject({ code: 'proof_missing' });
  });

  it('wants a newer keyring than the one before, and is not logged without', async () => {
    const client = await proven('old-keyring');
    for (const version of [0, 1]) {
      const request = await passphraseRequest(client, NEW, version);
      expect(await client.call(contract.passphraseRenew, request)).toMatchObject({
        status: 412,
        code: 'keyring_changed',
      });
    }
    expect(await eventKinds(client)).not.toContain('passphrase-renewed');
    expect([await signsIn('old-keyring', OLD), await signsIn('old-keyring', NEW)]).toEqual([true, false]);
  });

  it('is a record with which a login can begin', async () => {
    const client = await proven('malformed');
    const { keyring } = await passphraseRequest(client, NEW);
    // Its first 32 bytes are to be a point: these never are, and random ones now and then.
    for (const registrationRecord of ['AAAA', Buffer.alloc(192, 0xff).toString('base64url')]) {
      expect(await client.call(contract.passphraseRenew, { registrationRecord, keyring })).toMatchObject({
        status: 400,
        problem: { code: 'input_malformed', fields: ['registrationRecord'] },
      });
    }
    expect(await eventKinds(client)).not.toContain('passphrase-renewed');
    expect(await signsIn('malformed', OLD)).toBe(true);
  });

  it('leaves no version of the account with the record and the keyring before it', async () => {
    const client = await proven('versions');
    const versions = () => storedVersions(cloud, stateKeys.account(client.account));
    const [before = ''] = await versions();
    const old = /"opaqueRecord":"([^"]+)"/.exec(before)?.[1] ?? '';
    const oldKeyring = /"keyring":\{"version":1,"bytes":"([^"]+)"/.exec(before)?.[1] ?? '';
    expect([old.length > 200, oldKeyring.length > 200]).toEqual([true, true]);
    await renew(client);
    const after = await versions();
    expect(after).toHaveLength(1);
    expect([old, oldKeyring].filter((text) => after.join('').includes(text))).toEqual([]);
  });
});

describe('of several at once', () => {
  it('from two sessions one wins, and the other has ended', async () => {
    const first = await proven('two-sessions');
    const second = newClient().knows(first);
    await second.signIn('two-sessions', OLD);
    await proveAgain(second, 'two-sessions');
    const clients = [first, second];
    const requests = await Promise.all(
      clients.map((client, index) => passphraseRequest(client, `${NEW} ${String(index)}`, 2 + index)),
    );
    const replies = await Promise.all(
      clients.map((client, index) => client.call(contract.passphraseRenew, requests[index])),
    );
    const won = replies.map(({ ok }) => ok);
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(replies.find(({ ok }) => !ok)?.code).toMatch(/^(proof_missing|session_missing|keyring_changed)$/);
    expect(await Promise.all(clients.map(isLive))).toEqual(won);
    expect(await signsIn('two-sessions', `${NEW} 0`)).toBe(won[0]);
    expect(await signsIn('two-sessions', `${NEW} 1`)).toBe(won[1]);
  });

  it('from one session one wins', async () => {
    const client = await proven('one-session');
    const request = await passphraseRequest(client, NEW);
    const twins = [1, 2, 3, 4].map(() => client.fork());
    const replies = await Promise.all(twins.map((twin) => twin.call(contract.passphraseRenew, request)));
    expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await Promise.all(twins.map(isLive))).toEqual(replies.map(({ ok }) => ok));
    expect(await signsIn('one-session', NEW)).toBe(true);
  });
});
