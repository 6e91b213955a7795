import { generateKeyPairSync, randomBytes } from 'node:crypto';
import * as opaque from '@serenity-kit/opaque';
import { eventsRead } from '$contract/accounts.ts';
import * as contract from '$contract/credentials.ts';
import { type AccountClient, rawPublicKey } from './account-client.ts';
import { KSF } from './quick-opaque.ts';

/** OPAQUE's last message of a login that has just begun; one that proves nothing where the passphrase is wrong. */
export async function lastLoginMessage(client: AccountClient, userName: string, passphrase: string) {
  const { reply, finish } = await client.startSignIn(userName, passphrase);
  if (!reply.ok) throw new Error(`expected a login to begin, got ${reply.code}`);
  const login = finish(reply.answer.loginResponse);
  return login?.finishLoginRequest ?? randomBytes(64).toString('base64url');
}

/**
 * Passphrase and code once more, in the client's session.
 * @param factor a code that was not shown yet, unless said otherwise
 */
export async function prove(
  client: AccountClient,
  userName: string,
  { passphrase = 'correct horse battery', factor }: { passphrase?: string; factor?: unknown } = {},
) {
  const finishLoginRequest = await lastLoginMessage(client, userName, passphrase);
  const reply = await client.call(contract.credentialsProve, {
    finishLoginRequest,
    factor: factor ?? (await client.nextCode()),
  });
  if (reply.ok) client.proof = reply.answer.proof;
  return reply;
}

/** The request that puts other backup codes in the place of the account's. */
export const backupCodesRequest = (client: AccountClient, backupCodes: readonly string[]) => ({
  backupCodeHashes: backupCodes.map((code) => client.hashOf(code)),
});

/** Asks for another authenticator. @returns a twin that shows the new one's codes */
export async function newAuthenticator(client: AccountClient, userName: string): Promise<AccountClient> {
  const { totpSecret } = await client.must(contract.authenticatorRenew, { userName });
  const twin = client.fork();
  twin.totpSecret = totpSecret;
  return twin;
}

/** A recovery key of its own, and the request that puts it in the place of the account's. */
export function newKit(version = 2) {
  const recovery = generateKeyPairSync('ed25519');
  const recoveryPublicKey = rawPublicKey(recovery.publicKey);
  return { recovery, request: { recoveryPublicKey, keyring: newKeyring(version) } };
}

/** Registers another passphrase. @returns the request that puts it in the place of the account's */
export async function passphraseRequest(client: AccountClient, password: string, version = 2) {
  await opaque.ready;
  const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password });
  const { registrationResponse } = await client.must(contract.passphraseStart, { registrationRequest });
  const { registrationRecord } = opaque.client.finishRegistration({
    clientRegistrationState,
    registrationResponse,
    password,
    keyStretching: KSF,
  });
  return { registrationRecord, keyring: newKeyring(version) };
}

const newKeyring = (version: number) => ({ version, bytes: randomBytes(200).toString('base64url') });

/** What the broker's log says of the account, the oldest first. */
export async function eventKinds(client: AccountClient): Promise<string[]> {
  const { events } = await client.must(eventsRead, { from: '0' });
  return events.map(({ kind }) => kind);
}
