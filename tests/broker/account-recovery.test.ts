import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as contract from '$contract/accounts.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import type { AccountClient } from '../support/account-client.ts';
import { storedVersions } from '../support/stored-versions.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { cloud, newClient } = setUpBroker();
async function signedUp(userName: string, passphrase?: string): Promise<AccountClient> {
  const client = newClient();
  await client.signUp(userName, passphrase);
  return client;
}

describe('a recovery key', () => {
  it('that nobody has is answered like one of an account, until it is proven', async () => {
    const owner = await signedUp('key-owner');
    const stranger = generateKeyPairSync('ed25519');
    const lengths = [];
    for (const key of [owner.recovery, stranger]) {
      const client = newClient();
      const { x } = key.publicKey.export({ format: 'jwk' });
      const response = await client.raw(
        'POST',
        '/api/recovery/start',
        JSON.stringify({ recoveryPublicKey: x }),
      );
      lengths.push([
        response.status,
        (await response.text()).length,
        client.cookies.get('halfkey-state')?.length,
      ]);
    }
    expect(lengths[0]).toEqual(lengths[1]);
    expect(await newClient().proveRecoveryKey(stranger)).toMatchObject({
      status: 401,
      code: 'recovery_refused',
    });
  });

  it('is proven by its own signature over this challenge alone', async () => {
    const owner = await signedUp('signatures');
    const other = generateKeyPairSync('ed25519');
    const mixed = { publicKey: owner.recovery.publicKey, privateKey: other.privateKey };
    expect(await newClient().proveRecoveryKey(mixed)).toMatchObject({ code: 'recovery_refused' });

    // A signature over another challenge.
    const recorded: string[] = [];
    const first = newClient();
    const { send } = first;
    first.send = (path, init) => {
      if (path.endsWith('/prove') && typeof init.body === 'string') recorded.push(init.body);
      return send(path, init);
    };
    await first.proveRecoveryKey(owner.recovery);
    const replay = newClient();
    const { x } = owner.recovery.publicKey.export({ format: 'jwk' });
    await replay.must(contract.recoveryStart, { recoveryPublicKey: x });
    const response = await replay.raw('POST', '/api/recovery/prove', recorded[0]);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      401,
      'recovery_refused',
    ]);
  });

  it('that is no point of the curve, or the neutral one, proves nothing', async () => {
    for (const bytes of [
      Buffer.alloc(32),
      Buffer.concat([Buffer.of(1), Buffer.alloc(31)]),
      Buffer.alloc(32, 255),
    ]) {
      const client = newClient();
      await client.must(contract.recoveryStart, { recoveryPublicKey: bytes.toString('base64url') });
      for (const signature of [
        Buffer.alloc(64),
        Buffer.concat([Buffer.of(1), Buffer.alloc(63)]),
        randomBytes(64),
      ]) {
        const reply = await client
          .fork()
          .call(contract.recoveryProve, { signature: signature.toString('base64url') });
        expect(reply).toMatchObject({ status: 401 });
      }
    }
  });

  it('of an account that never became active opens nothing', async () => {
    const pending = newClient();
    await pending.signUpUntilFirstCode('never-active', 'p');
    expect(await newClient().proveRecoveryKey(pending.recovery)).toMatchObject({ code: 'recovery_refused' });
  });
});

describe('the kit alone', () => {
  it('gets no keyring: that wants a code too, and a used one is none', async () => {
    const owner = await signedUp('kit-only');
    const finder = newClient().knows(owner);
    const { code } = await owner.nextCode();
    await owner.must(contract.grantBuy, { factor: { code } });
    await finder.proveRecoveryKey();
    const reply = await finder.call(contract.recoveryCode, { factor: { code }, registrationRequest: 'AAAA' });
    expect(reply).toMatchObject({ status: 401, code: 'code_used' });
  });
});

describe('completing a recovery', () => {
  it('wants a newer keyring than the one before', async () => {
    const owner = await signedUp('old-keyring');
    const client = newClient().knows(owner);
    await client.proveRecoveryKey();
    const request = await client.recover('new');
    const stale = { ...request, keyring: { ...request.keyring, version: 1 } };
    expect(await client.call(contract.recoveryComplete, stale)).toMatchObject({
      status: 412,
      code: 'keyring_changed',
    });
    expect(await client.call(contract.recoveryComplete, request)).toMatchObject({ ok: true });
  });

  it('leaves no version of the account with the old passphrase’s record', async () => {
    const owner = await signedUp('versions');
    const client = newClient().knows(owner);
    await client.proveRecoveryKey();
    await client.must(contract.recoveryComplete, await client.recover('new'));
    expect(await storedVersions(cloud, stateKeys.account(owner.account))).toHaveLength(1);
  });

  it('keeps vaults, authenticator and backup codes', async () => {
    const owner = await signedUp('kept');
    const client = newClient().knows(owner);
    await client.proveRecoveryKey();
    const signedIn = await client.must(contract.recoveryComplete, await client.recover('new'));
    expect(signedIn.vaults.map(({ vault }) => vault)).toEqual([owner.vault]);
    const factor = { backupCode: owner.backupCodes[9] };
    expect(await client.call(contract.grantBuy, { factor })).toMatchObject({ ok: true });
  });

  it('of two at once renews the account once', async () => {
    const owner = await signedUp('two-at-once');
    const client = newClient().knows(owner);
    await client.proveRecoveryKey();
    const request = await client.recover('new');
    const replies = await Promise.all(
      [1, 2, 3, 4].map(() => client.fork().call(contract.recoveryComplete, request)),
    );
    expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
  });
});

describe('what happened', () => {
  it('stands in the event log, in order, before it took effect', async () => {
    const owner = await signedUp('history');
    await owner.call(contract.grantBuy, { factor: { backupCode: 'A'.repeat(16) } });
    const grant = await owner.must(contract.grantBuy, { factor: await owner.nextCode(), releases: 5 });
    expect(grant.releases).toBe(5);
    await owner.must(contract.grantEnd, { grant: grant.id });
    const second = newClient().knows(owner);
    await second.signIn('history');
    await owner.must(contract.sessionEnd);
    const { events, head } = await second.must(contract.eventsRead, { from: '0' });
    expect(events.map(({ kind }) => kind)).toEqual([
      'generated',
      'signed-up',
      'granted',
      'code-refused',
      'granted',
      'signed-in',
      'granted',
      'signed-out',
    ]);
    expect(head).toEqual({ seq: 7, hash: events[7]!.hash });
    expect(events[0]).toMatchObject({ vault: owner.vault });
    expect(events[7]).toMatchObject({ device: owner.device.id });
  });
});
