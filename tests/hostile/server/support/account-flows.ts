import * as opaque from '@serenity-kit/opaque';
import { expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import type { Factor } from '$contract/ids.ts';
import * as contract from '$contract/vaults.ts';
import { KSF } from '../../../support/quick-opaque.ts';
import { newBlobId } from '../../../support/vault-side.ts';
import { codeOf, type Flow, PASSPHRASE, signedUp } from './flow.ts';

export const signUp: Flow = {
  name: 'sign-up',
  prepare(person) {
    const { client, userName } = person;
    let completion: Record<string, unknown> | undefined;
    return Promise.resolve({
      async attempt() {
        if (!completion) {
          await client.signUpUntilFirstCode(userName, PASSPHRASE);
          completion = await client.completion();
        }
        await client.must(account.signupComplete, completion);
      },
      async check() {
        const { segments } = await client.must(contract.logRead, { from: '0' });
        expect(segments).toHaveLength(1);
        // The same again is the same, and the name is no other's.
        await client.must(account.signupComplete, completion).catch((error: unknown) => {
          expect(String(error)).toContain('session_missing');
        });
        expect(
          await codeOf(person.another(), account.signupStart, {
            userName,
            registrationRequest: 'A'.repeat(43),
          }),
        ).toBe('name_taken');
      },
    });
  },
};

export const signIn: Flow = {
  name: 'sign-in',
  async prepare(person) {
    const { factor } = await signedUp(person);
    const client = person.another();
    let last: Factor;
    return {
      async attempt() {
        const proven = await client.provePassphrase(person.userName, PASSPHRASE);
        if (!proven.ok) throw new Error(proven.code);
        last = await factor();
        await client.must(account.signinCode, { factor: last, device: client.device });
      },
      async check() {
        expect((await client.must(account.sessionRead)).account).toBe(client.account);
        expect(await codeOf(client, account.grantBuy, { factor: last })).toMatch(
          /^(code_used|backup_code_refused)$/,
        );
      },
    };
  },
};

export const buyGrant: Flow = {
  name: 'code and grant',
  async prepare(person) {
    const { factor } = await signedUp(person);
    const { client } = person;
    let current = await factor();
    let accepted = 0;
    return {
      async attempt() {
        const reply = await client.call(account.grantBuy, { factor: current });
        if (reply.ok) accepted += 1;
        // It was taken, and the answer lost: another one is needed.
        if (reply.code === 'code_used' || reply.code === 'backup_code_refused') current = await factor();
        if (!reply.ok) throw new Error(reply.code);
      },
      async check() {
        expect(accepted).toBe(1);
        for (let tries = 0; tries < 2; tries += 1) {
          expect(await codeOf(client, account.grantBuy, { factor: current })).toMatch(
            /^(code_used|backup_code_refused)$/,
          );
        }
      },
    };
  },
};

export const endGrant: Flow = {
  name: 'lock now',
  async prepare(person) {
    const { grant } = await signedUp(person);
    const { client } = person;
    return {
      async attempt() {
        await client.must(account.grantEnd, { grant });
      },
      async check() {
        const order = { grant, purpose: 'file', epoch: 0, blobs: [newBlobId()] };
        expect(await codeOf(client, contract.keysGenerate, order)).toBe('grant_missing');
      },
    };
  },
};

export const recovery: Flow = {
  name: 'recovery',
  async prepare(person) {
    const { factor } = await signedUp(person);
    const client = person.another();
    const password = 'a new passphrase';
    return {
      async attempt() {
        const proven = await client.proveRecoveryKey();
        if (!proven.ok) throw new Error(proven.code);
        const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({
          password,
        });
        const { registrationResponse, keyring } = await client.must(account.recoveryCode, {
          factor: await factor(),
          registrationRequest,
        });
        const { registrationRecord } = opaque.client.finishRegistration({
          clientRegistrationState,
          registrationResponse,
          password,
          keyStretching: KSF,
        });
        const next = { version: keyring.version + 1, bytes: keyring.bytes };
        await client.must(account.recoveryComplete, {
          registrationRecord,
          keyring: next,
          device: client.device,
        });
      },
      async check() {
        expect(await codeOf(person.client, account.sessionRead, {})).toBe('session_missing');
        expect(await person.another().provePassphrase(person.userName, PASSPHRASE)).toMatchObject({
          code: 'login_refused',
        });
        expect((await person.another().provePassphrase(person.userName, password)).ok).toBe(true);
      },
    };
  },
};

export const signOut: Flow = {
  name: 'sign-out',
  async prepare(person) {
    await signedUp(person);
    const twin = person.client.fork();
    return {
      attempt: async () => {
        const reply = await person.client.call(account.sessionEnd, {});
        // Done already, and the answer was lost.
        if (!reply.ok && reply.code !== 'session_missing') throw new Error(reply.code);
      },
      check: async () => {
        twin.send = person.client.send;
        expect(await codeOf(twin, account.sessionRead, {})).toBe('session_missing');
      },
    };
  },
};
