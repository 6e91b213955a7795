import * as contract from '$contract/factor-reset.ts';
import type { AccountClient } from './account-client.ts';
import type { TestClock } from './broker.ts';

export const WAIT_SECONDS = 72 * 60 * 60;

/** Passphrase and kit, as somebody shows them who has no authenticator. */
export async function askFactorReset(client: AccountClient, userName: string, passphrase?: string) {
  const proven = await client.provePassphrase(userName, passphrase);
  if (!proven.ok) throw new Error(`expected the passphrase to be taken, got ${proven.code}`);
  return client.call(contract.factorResetAsk, {
    signature: await client.signWithKit('halfkey/factor-reset/1'),
  });
}

/** Asked for, and the wait is over: up to stage `factor-reset`. */
export async function waitForFactorReset(
  client: AccountClient,
  userName: string,
  clock: TestClock,
): Promise<void> {
  const asked = await askFactorReset(client, userName);
  if (asked.ok) clock.advance(asked.answer.waitSeconds);
  const reply = asked.ok && asked.answer.waitSeconds === 0 ? asked : await askFactorReset(client, userName);
  if (!reply.ok || reply.answer.waitSeconds !== 0) throw new Error('expected the wait to be over');
}

/** In stage `factor-reset`. @returns a twin that shows the new authenticator's codes */
export async function pairNext(client: AccountClient, userName: string): Promise<AccountClient> {
  const { totpSecret } = await client.must(contract.factorResetSecret, { userName });
  const twin = client.fork();
  twin.totpSecret = totpSecret;
  return twin;
}

/** Another authenticator in the place of the lost one. @returns who is signed in with it */
export async function resetFactor(
  client: AccountClient,
  userName: string,
  clock: TestClock,
): Promise<AccountClient> {
  await waitForFactorReset(client, userName, clock);
  const next = await pairNext(client, userName);
  await client.must(contract.factorResetConfirm, { code: await next.code(), device: client.device });
  client.totpSecret = next.totpSecret;
  return client;
}
