import { beforeAll, describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as contract from '$contract/credentials.ts';
import type { Route } from '$contract/route.ts';
import type { CloudPorts } from '../../broker/aws/broker-clients.ts';
import { BrokerProblem } from '../../broker/domain/problem.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import type { AccountClient } from '../support/account-client.ts';
import { newBackupCodes } from '../support/account-client.ts';
import { startTestBroker } from '../support/broker.ts';
import {
  backupCodesRequest,
  eventKinds,
  lastLoginMessage,
  newAuthenticator,
  newKit,
  passphraseRequest,
  prove,
} from '../support/credentials-client.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const PASSPHRASE = 'correct horse battery';

let ports: CloudPorts;
const { cloud, clock, broker, newClient } = setUpBroker();
async function signedUp(userName: string): Promise<AccountClient> {
  const client = newClient();
  await client.signUp(userName, PASSPHRASE);
  return client;
}

beforeAll(() => {
  ports = cloud.connect();
});

/** Each route that wants a proof, with a request that it parses. */
const renewals = (client: AccountClient, userName: string): [Route, unknown][] => [
  [contract.backupCodesRenew, backupCodesRequest(client, newBackupCodes())],
  [contract.authenticatorRenew, { userName }],
  [contract.authenticatorConfirm, { code: '123456' }],
  [contract.kitRenew, newKit().request],
  [contract.passphraseStart, { registrationRequest: 'AAAA' }],
  [contract.passphraseRenew, { registrationRecord: 'AAAA', keyring: { version: 2, bytes: 'AAAA' } }],
];

/** What a renewal could change: the account's bytes, the claims of recovery keys, the log. */
const resting = async (client: AccountClient) => ({
  record: (await ports.state.read(stateKeys.account(client.account)))?.etag,
  recoveryKeys: (await ports.versions.list('r/', undefined)).versions.length,
  events: await eventKinds(client),
});

async function expectNoProof(client: AccountClient, userName: string): Promise<void> {
  const before = await resting(client);
  for (const [route, request] of renewals(client, userName)) {
    const { status, code } = await client.call(route, request);
    expect([route.path, status, code]).toEqual([route.path, 403, 'proof_missing']);
  }
  expect(await resting(client)).toEqual(before);
}

const hasProof = async (client: AccountClient): Promise<boolean> => {
  const { code } = await client.call(contract.passphraseStart, { registrationRequest: 'AAAA' });
  // Nobody registers with that, but it is looked at behind the proof only.
  expect(['input_malformed', 'proof_missing']).toContain(code);
  return code !== 'proof_missing';
};

describe('without passphrase and code in this session', () => {
  it('nothing is renewed, and nothing is logged', async () => {
    await expectNoProof(await signedUp('unproven'), 'unproven');
    const again = newClient().knows(await signedUp('unproven-sign-in'));
    await again.signIn('unproven-sign-in');
    await expectNoProof(again, 'unproven-sign-in');
  });

  it('those of another session of the account are none', async () => {
    const first = await signedUp('two-sessions');
    const second = newClient().knows(first);
    await second.signIn('two-sessions');
    expect(await prove(first, 'two-sessions')).toMatchObject({ ok: true });
    await expectNoProof(second, 'two-sessions');
    second.proof = first.proof;
    await expectNoProof(second, 'two-sessions');
    expect(await hasProof(first)).toBe(true);
  });

  it('are none without what they were answered with: the session’s cookie alone renews nothing', async () => {
    const client = await signedUp('cookie-alone');
    const thief = client.fork();
    expect(await prove(client, 'cookie-alone')).toMatchObject({ ok: true });
    await expectNoProof(thief, 'cookie-alone');
    const earlier = client.fork();
    expect(await prove(client, 'cookie-alone')).toMatchObject({ ok: true });
    await expectNoProof(earlier, 'cookie-alone');
    expect(await hasProof(client)).toBe(true);
  });

  it('those of ten minutes ago are none', async () => {
    const client = await signedUp('ten-minutes');
    expect(await prove(client, 'ten-minutes')).toMatchObject({ ok: true });
    clock.advance(599);
    expect(await hasProof(client)).toBe(true);
    clock.advance(1);
    await expectNoProof(client, 'ten-minutes');
    expect(await prove(client, 'ten-minutes')).toMatchObject({ ok: true });
    expect(await hasProof(client)).toBe(true);
  });

  it('a recovery is none', async () => {
    const owner = await signedUp('recovered');
    const client = newClient().knows(owner);
    await client.proveRecoveryKey();
    await client.must(account.recoveryComplete, await client.recover('another'));
    await expectNoProof(client, 'recovered');
  });
});

describe('passphrase and code once more', () => {
  it('are answered with the keyring, and admit to each renewal', async () => {
    const client = newClient();
    const { keyring } = await client.signUp('proven', PASSPHRASE);
    expect(await prove(client, 'proven')).toMatchObject({ ok: true, answer: { keyring } });
    for (const [route, request] of renewals(client.fork(), 'proven')) {
      expect([route.path, (await client.call(route, request)).code]).not.toEqual([
        route.path,
        'proof_missing',
      ]);
    }
  });

  it('are refused before the code is looked at when the passphrase is wrong: the code stays good', async () => {
    const client = await signedUp('wrong-passphrase');
    const factor = await client.nextCode();
    expect(await prove(client, 'wrong-passphrase', { passphrase: 'another', factor })).toMatchObject({
      status: 401,
      code: 'login_refused',
    });
    await expectNoProof(client, 'wrong-passphrase');
    expect(await prove(client, 'wrong-passphrase', { factor })).toMatchObject({ ok: true });
  });

  it('are refused with a wrong code, and with one that was used', async () => {
    const client = await signedUp('codes');
    const wrong = { code: await client.wrongCode() };
    expect(await prove(client, 'codes', { factor: wrong })).toMatchObject({
      status: 401,
      code: 'code_wrong',
    });
    const used = await client.nextCode();
    await client.must(account.grantBuy, { factor: used });
    expect(await prove(client, 'codes', { factor: used })).toMatchObject({ status: 401, code: 'code_used' });
    await expectNoProof(client, 'codes');
    expect((await eventKinds(client)).slice(-3)).toEqual(['code-refused', 'granted', 'code-refused']);
  });

  it('may be the passphrase and a backup code, which is good once', async () => {
    const client = await signedUp('backup-factor');
    const factor = { backupCode: client.backupCodes[0] };
    expect(await prove(client, 'backup-factor', { factor })).toMatchObject({ ok: true });
    expect(await hasProof(client)).toBe(true);
    expect(await prove(client, 'backup-factor', { factor })).toMatchObject({ code: 'backup_code_refused' });
  });

  it('are of this account: another’s passphrase proves nothing, nor does that of nobody', async () => {
    const client = await signedUp('mine');
    await signedUp('another’s');
    const factor = await client.nextCode();
    for (const userName of ['another’s', 'nobody’s']) {
      expect(await prove(client, userName, { factor })).toMatchObject({ status: 401, code: 'login_refused' });
    }
    await expectNoProof(client, 'mine');
    expect(await prove(client, 'mine', { factor })).toMatchObject({ ok: true });
  });

  it('want a login of their own: one that was used, or none, or what lies in a recovery, is none', async () => {
    const client = await signedUp('login-twice');
    const finishLoginRequest = await lastLoginMessage(client, 'login-twice', PASSPHRASE);
    const twin = client.fork();
    expect(await client.call(account.signinFinish, { finishLoginRequest })).toMatchObject({ ok: true });
    const factor = await client.nextCode();
    const expired = { status: 401, code: 'login_expired' };
    expect(await twin.call(contract.credentialsProve, { finishLoginRequest, factor })).toMatchObject(expired);
    expect(await twin.call(contract.credentialsProve, { finishLoginRequest, factor })).toMatchObject(expired);
    await twin.must(account.recoveryStart, { recoveryPublicKey: 'A'.repeat(43) });
    expect(await twin.call(contract.credentialsProve, { finishLoginRequest, factor })).toMatchObject(expired);
    await expectNoProof(twin, 'login-twice');
    expect(await prove(twin, 'login-twice', { factor })).toMatchObject({ ok: true });
  });

  it('are refused when the passphrase was replaced while they were on their way', async () => {
    const client = await signedUp('overtaken');
    await prove(client, 'overtaken');
    clock.advance(595);
    const finishLoginRequest = await lastLoginMessage(client, 'overtaken', PASSPHRASE);
    await client.must(contract.passphraseRenew, await passphraseRequest(client, 'the next one'));
    clock.advance(5);
    const factor = await client.nextCode();
    expect(await client.call(contract.credentialsProve, { finishLoginRequest, factor })).toMatchObject({
      status: 401,
      code: 'login_refused',
    });
    await expectNoProof(client, 'overtaken');
    expect(await prove(client, 'overtaken', { passphrase: 'the next one', factor })).toMatchObject({
      ok: true,
    });
  });

  it('that twenty requests bring at once prove once', async () => {
    const client = await signedUp('proof-race');
    const finishLoginRequest = await lastLoginMessage(client, 'proof-race', PASSPHRASE);
    const request = { finishLoginRequest, factor: await client.nextCode() };
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => client.fork().call(contract.credentialsProve, request)),
    );
    expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
  });
});

describe('the event log', () => {
  it('has each renewal, in order, with the device that asked', async () => {
    const client = await signedUp('history');
    await prove(client, 'history');
    const before = (await eventKinds(client)).length;
    await client.must(contract.backupCodesRenew, backupCodesRequest(client, newBackupCodes()));
    const next = await newAuthenticator(client, 'history');
    await client.must(contract.authenticatorConfirm, { code: await next.code() });
    await client.must(contract.kitRenew, newKit(2).request);
    await client.must(contract.passphraseRenew, await passphraseRequest(client, 'another', 3));
    const { events } = await client.must(account.eventsRead, { from: String(before) });
    expect(events.map(({ kind, device }) => [kind, device])).toEqual(
      ['backup-codes-renewed', 'authenticator-renewed', 'kit-renewed', 'passphrase-renewed'].map((kind) => [
        kind,
        client.device.id,
      ]),
    );
  });

  it('comes first: what cannot be logged does not happen', async () => {
    const client = await signedUp('unlogged');
    await prove(client, 'unlogged');
    const next = await newAuthenticator(client, 'unlogged');
    const requests: [Route, unknown][] = [
      [contract.backupCodesRenew, backupCodesRequest(client, newBackupCodes())],
      [contract.authenticatorConfirm, { code: await next.code() }],
      [contract.kitRenew, newKit().request],
      [contract.passphraseRenew, await passphraseRequest(client, 'another')],
    ];
    const mute = await startTestBroker(cloud, clock, {
      ports: {
        state: {
          ...ports.state,
          create: (key, ...rest) => {
            if (key.startsWith('e/')) throw new BrokerProblem('store_unreachable');
            return ports.state.create(key, ...rest);
          },
        },
      },
    });
    client.send = (path, init) => mute.app.request(path, init);
    const kinds = await eventKinds(client);
    for (const [route, request] of requests) {
      expect(await client.call(route, request)).toMatchObject({ status: 503, code: 'store_unreachable' });
    }
    mute.app.close();
    client.send = (path, init) => broker.app.request(path, init);
    expect(await eventKinds(client)).toEqual(kinds);
    // Passphrase, authenticator, backup codes and kit are what they were.
    const { code } = await client.nextCode();
    expect(await prove(client, 'unlogged', { factor: { code } })).toMatchObject({ ok: true });
    const factor = { backupCode: client.backupCodes[0] };
    expect(await client.call(account.grantBuy, { factor })).toMatchObject({ ok: true });
    expect(await newClient().knows(client).proveRecoveryKey()).toMatchObject({ ok: true });
  });
});
