import { expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import type { Factor } from '$contract/ids.ts';
import * as contract from '$contract/credentials.ts';
import { type AccountClient, newBackupCodes } from '../../../support/account-client.ts';
import {
  backupCodesRequest,
  eventKinds,
  newAuthenticator,
  newKit,
  passphraseRequest,
  prove,
} from '../../../support/credentials-client.ts';
import { codeOf, type Flow, PASSPHRASE, type Person, signedUp } from './flow.ts';

/** Signed up over a calm network, with passphrase and code proven once more. */
async function proven(person: Person) {
  const { factor } = await signedUp(person);
  await proveWith(person, await factor());
  return { client: person.client, factor };
}

async function proveWith({ client, userName }: Person, factor: Factor): Promise<void> {
  const reply = await prove(client, userName, { passphrase: PASSPHRASE, factor });
  if (!reply.ok) throw new Error(reply.code);
}

/** At another browser of the same person. */
async function signedInElsewhere(person: Person, passphrase: string, factor: Factor): Promise<AccountClient> {
  const client = person.another();
  const reply = await client.provePassphrase(person.userName, passphrase);
  if (!reply.ok) throw new Error(reply.code);
  await client.must(account.signinCode, { factor, device: client.device });
  return client;
}

/** It took effect, so it stands in the log; each time that it was begun, it was logged before. */
async function checkLogged(client: AccountClient, kind: account.AccountEventKind): Promise<void> {
  expect(await eventKinds(client)).toContain(kind);
}

export const proveAgain: Flow = {
  name: 'passphrase and code once more',
  async prepare(person) {
    const { factor } = await signedUp(person);
    let last: Factor;
    return {
      async attempt() {
        last = await factor();
        await proveWith(person, last);
      },
      async check() {
        const { client } = person;
        expect(await codeOf(client, account.grantBuy, { factor: last })).toMatch(
          /^(code_used|backup_code_refused)$/,
        );
        await passphraseRequest(client, 'another');
      },
    };
  },
};

export const renewBackupCodes: Flow = {
  name: 'new backup codes',
  async prepare(person) {
    const { client } = await proven(person);
    const codes = newBackupCodes();
    const request = backupCodesRequest(client, codes);
    return {
      async attempt() {
        await client.must(contract.backupCodesRenew, request);
      },
      async check() {
        const use = (backupCode: string | undefined) =>
          codeOf(client, account.grantBuy, { factor: { backupCode } });
        expect(await use(client.backupCodes[9])).toBe('backup_code_refused');
        expect(await use(codes[9])).toBeUndefined();
        expect(await use(codes[9])).toBe('backup_code_refused');
        await checkLogged(client, 'backup-codes-renewed');
      },
    };
  },
};

export const renewAuthenticator: Flow = {
  name: 'another authenticator',
  async prepare(person) {
    const { client, factor } = await proven(person);
    let next: AccountClient | undefined;
    let current = client;
    let code = '';
    return {
      async attempt() {
        // The session ended with the answer that was lost: then the new one counts.
        if (next && !(await client.call(account.sessionRead)).ok) {
          current = await signedInElsewhere(person, PASSPHRASE, await factor());
          return;
        }
        next ??= await newAuthenticator(client, person.userName);
        code = await next.code();
        await client.must(contract.authenticatorConfirm, { code });
      },
      async check() {
        expect(await codeOf(current, account.grantBuy, { factor: { code } })).toBe('code_used');
        const old = { code: await client.code() };
        expect(await codeOf(current, account.grantBuy, { factor: old })).toBe('code_wrong');
        await checkLogged(current, 'authenticator-renewed');
      },
    };
  },
};

export const renewKit: Flow = {
  name: 'a new kit',
  async prepare(person) {
    const { client } = await proven(person);
    const { recovery, request } = newKit();
    return {
      async attempt() {
        await client.must(contract.kitRenew, request);
      },
      async check() {
        expect((await person.another().proveRecoveryKey()).code).toBe('recovery_refused');
        expect((await person.another().proveRecoveryKey(recovery)).ok).toBe(true);
        await checkLogged(client, 'kit-renewed');
      },
    };
  },
};

export const renewPassphrase: Flow = {
  name: 'another passphrase',
  async prepare(person) {
    const { client, factor } = await proven(person);
    const twin = client.fork();
    const passphrase = 'a new passphrase';
    const signsIn = async (one: string): Promise<boolean> =>
      (await person.another().provePassphrase(person.userName, one)).ok;
    let current = client;
    let isFirst = true;

    return {
      async attempt() {
        if (!isFirst) {
          const isLive = (await client.call(account.sessionRead)).ok;
          // One of the two is the account's at any time, and the session goes with the old one.
          expect([await signsIn(PASSPHRASE), await signsIn(passphrase)]).toEqual([isLive, !isLive]);
          if (!isLive) {
            current = await signedInElsewhere(person, passphrase, await factor());
            return;
          }
        }
        isFirst = false;
        await client.must(contract.passphraseRenew, await passphraseRequest(client, passphrase));
      },
      async check() {
        expect((await current.must(account.sessionRead)).account).toBe(client.account);
        twin.send = client.send;
        expect(await codeOf(twin, account.sessionRead, {})).toBe('session_missing');
        expect([await signsIn(PASSPHRASE), await signsIn(passphrase)]).toEqual([false, true]);
        await checkLogged(current, 'passphrase-renewed');
      },
    };
  },
};

export const revokeDevice: Flow = {
  name: 'signing a device out',
  async prepare(person) {
    const { client, factor } = await proven(person);
    const lost = await signedInElsewhere(person, PASSPHRASE, await factor());
    const device = lost.device.id;
    return {
      async attempt() {
        await client.must(contract.deviceRevoke, { device });
      },
      async check() {
        expect(await codeOf(lost, account.sessionRead, {})).toBe('session_missing');
        await lost.provePassphrase(person.userName, PASSPHRASE);
        const request = { factor: await factor(), device: lost.device };
        expect(await codeOf(lost, account.signinCode, request)).toBe('device_revoked');
        const other = { ...request, device: person.another().device };
        expect(await codeOf(lost, account.signinCode, other)).toBeUndefined();
        await checkLogged(client, 'device-revoked');
      },
    };
  },
};
