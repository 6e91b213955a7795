import { describe, expect, it } from 'vitest';
import * as contract from '$contract/accounts.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { newClient } = setUpBroker();

describe('signing up', () => {
  it('ends in a session, a grant and a vault of one segment', async () => {
    const client = newClient();
    const signedIn = await client.signUp('Ada');
    expect(signedIn.account).toBe(client.account);
    expect(signedIn.grant.releases).toBe(1000);
    expect(signedIn.vaults).toMatchObject([{ vault: client.vault, role: 'owner', head: { seq: 0 } }]);
    const session = await client.must(contract.sessionRead);
    expect(session).toMatchObject({ account: client.account, device: client.device.id });
  });
});

describe('signing in', () => {
  it('hands out the keyring after passphrase and code, on another device', async () => {
    const first = newClient();
    const { keyring } = await first.signUp('Grace');
    const second = newClient().knows(first);
    const signedIn = await second.signIn('grace');
    expect(signedIn).toMatchObject({ account: first.account, keyring });
    expect((await first.must(contract.sessionRead)).account).toBe(first.account);
  });
});

describe('recovery', () => {
  it('takes the kit and a code for a new passphrase, and ends every older session', async () => {
    const first = newClient();
    await first.signUp('Hedy', 'the old passphrase');
    const other = newClient().knows(first);
    expect(await other.proveRecoveryKey()).toMatchObject({ ok: true, answer: { account: first.account } });
    const signedIn = await other.must(contract.recoveryComplete, await other.recover('a new passphrase'));
    expect(signedIn.keyring.version).toBe(2);

    expect(await first.call(contract.sessionRead)).toMatchObject({ code: 'session_missing' });
    expect(await newClient().provePassphrase('hedy', 'the old passphrase')).toMatchObject({
      code: 'login_refused',
    });
    const third = newClient().knows(first);
    expect((await third.signIn('hedy', 'a new passphrase')).account).toBe(first.account);
  });
});
