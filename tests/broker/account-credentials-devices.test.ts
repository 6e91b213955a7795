import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import * as factorReset from '$contract/factor-reset.ts';
import * as contract from '$contract/credentials.ts';
import { keysGenerate } from '$contract/vault-keys.ts';
import type { AccountClient } from '../support/account-client.ts';
import { pairNext, waitForFactorReset } from '../support/factor-reset-client.ts';
import { eventKinds, prove } from '../support/credentials-client.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

const { clock, newClient } = setUpBroker();

const revoke = (client: AccountClient, { device }: AccountClient) =>
  client.call(contract.deviceRevoke, { device: device.id });

/** Somebody signed in on three devices, who has lost the second. */
async function lostOne(userName: string) {
  const [own, lost, third] = [newClient(), newClient(), newClient()];
  await own.signUp(userName);
  await lost.knows(own).signIn(userName);
  await third.knows(own).signIn(userName);
  expect(await prove(own, userName)).toMatchObject({ ok: true });
  return { own, lost, third };
}

describe('a device that its owner signs out', () => {
  it('gets nothing from there on; the others stay', async () => {
    const { own, lost, third } = await lostOne('gone');
    const { id: grant } = await lost.must(account.grantBuy, { factor: await lost.nextCode() });
    expect(await revoke(own, lost)).toMatchObject({ ok: true });
    expect(await lost.call(account.sessionRead)).toMatchObject({ status: 401, code: 'session_missing' });
    const order = { grant, purpose: 'file', epoch: 0, blobs: [randomBytes(16).toString('base64url')] };
    expect(await lost.call(keysGenerate, order)).toMatchObject({ code: 'session_missing' });
    for (const client of [own, third])
      expect(await client.call(account.sessionRead)).toMatchObject({ ok: true });
    // Nor does another session of the account get at its grant.
    expect(await third.call(keysGenerate, order)).toMatchObject({ code: 'grant_missing' });
  });

  it('is logged once, by its own id, and may be signed out again', async () => {
    const { own, lost } = await lostOne('logged');
    expect(await revoke(own, lost)).toMatchObject({ ok: true });
    expect(await revoke(own, lost)).toMatchObject({ ok: true });
    const { events } = await own.must(account.eventsRead, { from: '0' });
    expect(events.filter(({ kind }) => kind === 'device-revoked').map(({ device }) => device)).toEqual([
      lost.device.id,
    ]);
  });

  it('comes back as a new one only, and uses no code up before', async () => {
    const { own, lost } = await lostOne('back');
    await revoke(own, lost);
    await lost.provePassphrase('back');
    const factor = await lost.nextCode();
    const ask = (device: AccountClient['device']) => lost.call(account.signinCode, { factor, device });
    expect(await ask(lost.device)).toMatchObject({ status: 403, code: 'device_revoked' });
    expect(await ask({ ...lost.device, publicKey: randomBytes(32).toString('base64url') })).toMatchObject({
      code: 'device_revoked',
    });
    expect(await ask(newClient().device)).toMatchObject({ ok: true });
    expect(await ask(newClient().device)).toMatchObject({ ok: false });
    const spare = { factor: { backupCode: own.backupCodes[0] }, device: lost.device };
    await lost.provePassphrase('back');
    expect(await lost.call(account.signinCode, spare)).toMatchObject({ code: 'device_revoked' });
    expect(await lost.call(account.signinCode, { ...spare, device: newClient().device })).toMatchObject({
      ok: true,
    });
  });

  it('does not come back by its recovery words, or another authenticator, either', async () => {
    const { own, lost } = await lostOne('other-ways');
    await revoke(own, lost);
    await lost.proveRecoveryKey();
    const recovered = await lost.recover('another one');
    expect(await lost.call(account.recoveryComplete, recovered)).toMatchObject({ code: 'device_revoked' });
    expect(await eventKinds(own)).not.toContain('recovered');

    await waitForFactorReset(lost, 'other-ways', clock);
    const next = await pairNext(lost, 'other-ways');
    const code = await next.code();
    const confirm = (device: AccountClient['device']) =>
      lost.call(factorReset.factorResetConfirm, { code, device });
    expect(await confirm(lost.device)).toMatchObject({ code: 'device_revoked' });
    expect(await eventKinds(own)).not.toContain('authenticator-renewed');
    expect(await confirm(newClient().device)).toMatchObject({ ok: true });
  });
});

describe('signing a device out', () => {
  it('wants the proof, and is not for one’s own', async () => {
    const { own, lost, third } = await lostOne('proofs');
    expect(await revoke(lost, third)).toMatchObject({ status: 403, code: 'proof_missing' });
    expect(await revoke(own, own)).toMatchObject({
      status: 400,
      problem: { code: 'input_malformed', fields: ['device'] },
    });
    expect(await third.call(account.sessionRead)).toMatchObject({ ok: true });
  });

  it('reaches no other account', async () => {
    const { own } = await lostOne('mine');
    const stranger = newClient();
    await stranger.signUp('not-mine');
    expect(await revoke(own, stranger)).toMatchObject({ ok: true }); // As for an id that nobody has.
    expect(await stranger.call(account.sessionRead)).toMatchObject({ ok: true });
    await stranger.must(account.sessionEnd);
    expect(await stranger.signIn('not-mine')).toMatchObject({ account: stranger.account });
  });
});
