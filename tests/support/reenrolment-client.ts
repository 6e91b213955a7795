import * as contract from '$contract/reenrolment.ts';
import type { AccountClient } from './account-client.ts';
import type { TestClock } from './broker.ts';

export const WAIT_SECONDS = 72 * 60 * 60;

/** Passphrase and kit, as somebody shows them who has no authenticator. */
export async function askReenrolment(client: AccountClient, userName: string, passphrase?: string) {
  const proven = await client.provePassphrase(userName, passphrase);
  if (!proven.ok) throw new Error(`expected the passphrase to be taken, got ${proven.code}`);
  return client.call(contract.reenrolAsk, { signature: await client.signWithKit('halfkey/reenrolment/1') });
}

/** Asked for, and the wait is over: up to stage `reenrol`. */
export async function waitForReenrolment(
  client: AccountClient,
  userName: string,
  clock: TestClock,
): Promise<void> {
  const asked = await askReenrolment(client, userName);
  if (asked.ok) clock.advance(asked.answer.waitSeconds);
  const reply = asked.ok && asked.answer.waitSeconds === 0 ? asked : await askReenrolment(client, userName);
  if (!reply.ok || reply.answer.waitSeconds !== 0) throw new Error('expected the wait to be over');
}

/** In stage `reenrol`. @returns a twin that shows the new authenticator's codes */
export async function pairNext(client: AccountClient, userName: string): Promise<AccountClient> {
  const { totpSecret } = await client.must(contract.reenrolSecret, { userName });
  const twin = client.fork();
  twin.totpSecret = totpSecret;
  return twin;
}

/** Another authenticator in the place of the lost one. @returns who is signed in with it */
export async function reenrol(
  client: AccountClient,
  userName: string,
  clock: TestClock,
): Promise<AccountClient> {
  await waitForReenrolment(client, userName, clock);
  const next = await pairNext(client, userName);
  await client.must(contract.reenrolConfirm, { code: await next.code(), device: client.device });
  client.totpSecret = next.totpSecret;
  return client;
}
