import { expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as contract from '$contract/factor-reset.ts';
import type { AccountClient } from '../../../support/account-client.ts';
import { askFactorReset, pairNext } from '../../../support/factor-reset-client.ts';
import { eventKinds } from '../../../support/credentials-client.ts';
import { codeOf, type Flow, type Person, signedUp } from './flow.ts';

/** What every device of the person is told. */
const pendingOf = async (client: AccountClient) => (await client.must(account.sessionRead)).factorReset;

async function ask(person: Person): Promise<{ client: AccountClient; waitSeconds: number }> {
  const client = person.another();
  const reply = await askFactorReset(client, person.userName);
  if (!reply.ok) throw new Error(reply.code);
  return { client, waitSeconds: reply.answer.waitSeconds };
}

export const askForAuthenticator: Flow = {
  name: 'asking for an authenticator without a code',
  async prepare(person) {
    await signedUp(person);
    return {
      async attempt() {
        await ask(person);
      },
      async check() {
        expect(await pendingOf(person.client)).toBeDefined();
        expect(await eventKinds(person.client)).toContain('factor-reset-asked');
        expect((await ask(person)).waitSeconds).toBeGreaterThan(0);
      },
    };
  },
};

export const stopAsked: Flow = {
  name: 'stopping it',
  async prepare(person) {
    await signedUp(person);
    await ask(person);
    return {
      async attempt() {
        await person.client.must(contract.factorResetStop);
      },
      async check() {
        expect(await pendingOf(person.client)).toBeUndefined();
        expect(await eventKinds(person.client)).toContain('factor-reset-stopped');
      },
    };
  },
};

export const pairAuthenticator: Flow = {
  name: 'pairing it after the wait',
  async prepare(person) {
    await signedUp(person);
    const { waitSeconds } = await ask(person);
    person.pass(waitSeconds);
    let code = '';
    let current: AccountClient | undefined;
    let next: AccountClient | undefined;

    /** Where the answer to the new one's first code was lost, it counts all the same. */
    async function isPaired(): Promise<boolean> {
      if (!next || (await person.client.call(account.sessionRead)).ok) return false;
      const client = person.another();
      await client.provePassphrase(person.userName);
      const factor = { code: await next.code(1) };
      await client.must(account.signinCode, { factor, device: client.device });
      current = client;
      return true;
    }

    return {
      async attempt() {
        if (await isPaired()) return;
        const { client, waitSeconds: left } = await ask(person);
        expect(left).toBe(0);
        next = await pairNext(client, person.userName);
        code = await next.code();
        await client.must(contract.factorResetConfirm, { code, device: client.device });
        current = client;
      },
      async check() {
        if (!current) throw new Error('expected somebody to be signed in');
        const { client } = person;
        expect(await codeOf(client, account.sessionRead, {})).toBe('session_missing');
        expect(await codeOf(current, account.grantBuy, { factor: { code } })).toBe('code_used');
        const [backupCode] = client.backupCodes;
        expect(await codeOf(current, account.grantBuy, { factor: { backupCode } })).toBe(
          'backup_code_refused',
        );
        expect(await pendingOf(current)).toBeUndefined();
        expect(await eventKinds(current)).toContain('authenticator-renewed');
      },
    };
  },
};
