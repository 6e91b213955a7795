import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as contract from '$contract/credentials.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import type { AccountClient } from '../support/account-client.ts';
import { newBackupCodes, rawPublicKey } from '../support/account-client.ts';
import { backupCodesRequest, eventKinds, newKit, prove } from '../support/credentials-client.ts';
import { storedVersions } from '../support/stored-versions.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { cloud, clock, newClient } = setUpBroker();

/** Signed up, with passphrase and code proven once more. */
async function proven(userName: string): Promise<AccountClient> {
  const client = newClient();
  await client.signUp(userName);
  const reply = await prove(client, userName);
  if (!reply.ok) throw new Error(`expected a proof, got ${reply.code}`);
  return client;
}

/** How often the log says so. */
const logged = async (client: AccountClient, kind: account.AccountEventKind): Promise<number> =>
  (await eventKinds(client)).filter((one) => one === kind).length;
const versionsOf = (client: AccountClient) => storedVersions(cloud, stateKeys.account(client.account));

describe('new backup codes', () => {
  const use = (client: AccountClient, backupCode: string | undefined) => {
    clock.advance(60); // At the pace that a session has.
    return client.call(account.grantBuy, { factor: { backupCode } });
  };

  it('are good once each, and those before them for nothing any more', async () => {
    const client = await proven('codes');
    const codes = newBackupCodes();
    await client.must(contract.backupCodesRenew, backupCodesRequest(client, codes));
    for (const old of client.backupCodes) {
      expect(await use(client, old)).toMatchObject({ status: 401, code: 'backup_code_refused' });
    }
    for (const code of codes) expect(await use(client, code)).toMatchObject({ ok: true });
    expect(await use(client, codes[9])).toMatchObject({ code: 'backup_code_refused' });
  });

  it('sent again with the same bytes are what they were: one that was used meanwhile stays used', async () => {
    const client = await proven('codes-again');
    const codes = newBackupCodes();
    const request = backupCodesRequest(client, codes);
    await client.must(contract.backupCodesRenew, request);
    await client.must(contract.backupCodesRenew, request);
    expect(await use(client, codes[0])).toMatchObject({ ok: true });
    await client.must(contract.backupCodesRenew, request);
    expect(await use(client, codes[0])).toMatchObject({ code: 'backup_code_refused' });
    expect(await use(client, codes[1])).toMatchObject({ ok: true });
    expect(await logged(client, 'backup-codes-renewed')).toBe(1);
  });

  it('are ten, where all those before were used too', async () => {
    const client = await proven('codes-spent');
    for (const code of client.backupCodes) await use(client, code);
    expect(await prove(client, 'codes-spent')).toMatchObject({ ok: true }); // That took longer than a proof is good for.
    const codes = newBackupCodes();
    await client.must(contract.backupCodesRenew, backupCodesRequest(client, codes));
    expect(await use(client, codes[9])).toMatchObject({ ok: true });
    for (const count of [0, 9, 11]) {
      const request = { backupCodeHashes: Array.from({ length: count }, () => 'A'.repeat(43)) };
      expect(await client.call(contract.backupCodesRenew, request)).toMatchObject({
        code: 'input_malformed',
      });
    }
  });

  it('leave no version of the account with a hash of the old', async () => {
    const client = await proven('codes-versions');
    const old = backupCodesRequest(client, client.backupCodes).backupCodeHashes;
    expect((await versionsOf(client)).some((text) => text.includes(old[0] ?? ''))).toBe(true);
    await client.must(contract.backupCodesRenew, backupCodesRequest(client, newBackupCodes()));
    const versions = await versionsOf(client);
    expect(versions).toHaveLength(1);
    expect(old.filter((hash) => versions.join('').includes(hash))).toEqual([]);
  });
});

describe('a new kit', () => {
  const refused = { status: 401, code: 'recovery_refused' };

  it('recovers the account, and the one before opens nothing any more', async () => {
    const client = await proven('kit');
    const other = newClient().knows(client);
    await other.signIn('kit');
    const { recovery, request } = newKit();
    await client.must(contract.kitRenew, request);
    expect(await newClient().proveRecoveryKey(client.recovery)).toMatchObject(refused);
    // It is the kit alone that is another one.
    for (const session of [client, other]) {
      expect(await session.call(account.sessionRead)).toMatchObject({ ok: true });
    }
    const finder = newClient().knows(client);
    expect(await finder.proveRecoveryKey(recovery)).toMatchObject({
      ok: true,
      answer: { account: client.account },
    });
    const completion = await finder.recover('another');
    expect(completion.keyring).toEqual({ ...request.keyring, version: 3 });
    expect(await finder.call(account.recoveryComplete, completion)).toMatchObject({ ok: true });
  });

  it('ends each recovery that was begun with the one before, however far it is', async () => {
    const client = await proven('kit-under-way');
    const [begun, coded] = [newClient().knows(client), newClient().knows(client)];
    await begun.proveRecoveryKey();
    await coded.proveRecoveryKey();
    const completion = await coded.recover('a thief’s');
    await client.must(contract.kitRenew, newKit().request);
    const factor = await client.nextCode();
    const first = { factor, registrationRequest: 'AAAA' };
    expect(await begun.call(account.recoveryCode, first)).toMatchObject({ code: 'session_missing' });
    const newer = { ...completion, keyring: { ...completion.keyring, version: 9 } };
    expect(await coded.call(account.recoveryComplete, newer)).toMatchObject({ code: 'session_missing' });
    expect(await client.call(account.grantBuy, { factor })).toMatchObject({ ok: true });
    expect(await logged(client, 'recovered')).toBe(0);
  });

  it('wants a newer keyring than the one before, and is not logged without', async () => {
    const client = await proven('kit-old-keyring');
    for (const version of [0, 1]) {
      expect(await client.call(contract.kitRenew, newKit(version).request)).toMatchObject({
        status: 412,
        code: 'keyring_changed',
      });
    }
    expect(await logged(client, 'kit-renewed')).toBe(0);
    expect(await newClient().proveRecoveryKey(client.recovery)).toMatchObject({ ok: true });
  });

  it('has a key of its own: that of another account already exists', async () => {
    const [client, other] = [await proven('kit-mine'), await proven('kit-another’s')];
    const recoveryPublicKey = rawPublicKey(other.recovery.publicKey);
    expect(await client.call(contract.kitRenew, { ...newKit().request, recoveryPublicKey })).toMatchObject({
      status: 412,
      code: 'already_exists',
    });
    expect(await logged(client, 'kit-renewed')).toBe(0);
    expect(await newClient().proveRecoveryKey(client.recovery)).toMatchObject({ ok: true });
    expect(await newClient().proveRecoveryKey(other.recovery)).toMatchObject({
      answer: { account: other.account },
    });
  });

  it('sent again with the same bytes is the same, and logged once', async () => {
    const client = await proven('kit-again');
    const { recovery, request } = newKit();
    await client.must(contract.kitRenew, request);
    await client.must(contract.kitRenew, request);
    expect(await logged(client, 'kit-renewed')).toBe(1);
    expect(await newClient().proveRecoveryKey(recovery)).toMatchObject({ ok: true });
    // The same key with another keyring of this version is not the same.
    const { keyring } = newKit().request;
    expect(await client.call(contract.kitRenew, { ...request, keyring })).toMatchObject({
      code: 'keyring_changed',
    });
  });

  it('of two at once is one', async () => {
    const client = await proven('kit-race');
    const kits = [newKit(), newKit(), newKit()];
    const replies = await Promise.all(
      kits.map(({ request }) => client.fork().call(contract.kitRenew, request)),
    );
    expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
    for (const [index, { recovery }] of kits.entries()) {
      expect((await newClient().proveRecoveryKey(recovery)).ok).toBe(replies[index]?.ok);
    }
  });

  it('leaves no version of the account with the keyring of the old', async () => {
    const client = newClient();
    const { keyring } = await client.signUp('kit-versions');
    await prove(client, 'kit-versions');
    expect((await versionsOf(client)).some((text) => text.includes(keyring.bytes))).toBe(true);
    await client.must(contract.kitRenew, newKit().request);
    const versions = await versionsOf(client);
    expect(versions).toHaveLength(1);
    expect(versions.join('')).not.toContain(keyring.bytes);
    expect(versions.join('')).not.toContain(rawPublicKey(client.recovery.publicKey));
  });
});
