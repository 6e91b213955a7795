import { signinCode, signinFinish, signinStart } from '$contract/accounts.ts';
import { BlobId, DeviceId } from '$contract/ids.ts';
import { keysRelease } from '$contract/vault-keys.ts';
import * as v from 'valibot';
import { decodeKeyring } from '../../src/lib/account/keyring-format.ts';
import { openKeyring } from '../../src/lib/account/keyring.ts';
import { startLogin } from '../../src/lib/account/opaque.ts';
import { parseRecoveryWords } from '../../src/lib/account/recovery.ts';
import { fromB64Url, toB64Url } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { openEnvelope } from '../../src/lib/crypto/envelope.ts';
import { open } from '../../src/lib/crypto/floe.ts';
import { deriveKey } from '../../src/lib/crypto/hkdf.ts';
import { randomId } from '../../src/lib/crypto/random.ts';
import { generateDeviceKeyPair } from '../../src/lib/crypto/signing.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import { fromRecord } from '../../src/lib/vault/envelope-record.ts';
import { journalRemote } from '../../src/lib/drive/journal-remote.ts';
import { connectBroker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import type { Secret } from './find-secrets.ts';
import type { Person } from './person.ts';

/**
 * Every secret of an account, found as the client finds them: signs in once more, with the client's own code, outside a
 * browser.
 */
export async function deriveSecrets(origin: string, person: Person, fileName: string): Promise<Secret[]> {
  actAsBrowser(origin);
  const broker = connectBroker(origin, new SessionProver(() => Promise.resolve(undefined)));
  const login = await startLogin(person.passphrase);
  const userName = person.userName;
  const { loginResponse } = await broker.call(signinStart, {
    userName,
    startLoginRequest: login.startLoginRequest,
  });
  const { exportKey, finishLoginRequest } = login.finish(loginResponse);
  const { account } = await broker.call(signinFinish, { finishLoginRequest });
  const device = { ...(await generateDeviceKeyPair()), id: v.parse(DeviceId, randomId()) };
  const signedIn = await broker.call(signinCode, {
    factor: { code: await person.code() },
    device: { id: device.id, publicKey: toB64Url(device.publicKey) },
  });
  const keyring = await openKeyring(fromB64Url(signedIn.keyring.bytes), account, { exportKey });
  const [membership] = signedIn.vaults;
  if (!membership) throw new Error('expected one vault');
  const { vault } = membership;
  const { key: vaultKey, epoch } = keyring.vaultKey;

  const journal = await Journal.open({
    identity: {
      ...{ vault, account, vaultKeys: [{ epoch, vaultKey }] },
      ...{ identityPublicKey: keyring.identity.publicKey, device },
    },
    remote: journalRemote(broker, vault),
    cache: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
    nowMs: Date.now,
  });
  const { state } = journal;
  const index = state.entries.names.findIndex((name) => name === fileName);
  const version = state.newestVersion(state.entryAt(index).id);
  if (!version) throw new Error('expected the file in the journal');
  const name = { blob: v.parse(BlobId, version.blob), epoch: version.epoch };
  const { keys } = await broker.call(
    keysRelease,
    { grant: signedIn.grant.id, purpose: 'file', names: [name] },
    { vault },
  );
  const [released] = keys;
  if (!released) throw new Error('expected one key');
  const contentKey = await openEnvelope({
    envelope: fromRecord(released.envelope),
    kmsHalf: fromB64Url(released.kmsHalf),
    vaultKey,
    purpose: 'file',
    vault,
    ...name,
  });

  const kek = await deriveKey(exportKey, 'export-wrap', account);
  const { byExport } = await decodeKeyring(keyring.bytes);
  const identitySeed = await open(kek, sealAad('identity-key', account, 'export', 0), byExport.identity);
  const secrets = {
    'vault key': vaultKey,
    'content key': contentKey,
    'KMS half': fromB64Url(released.kmsHalf),
    'account key': keyring.accountKey,
    'identity seed': identitySeed,
    'sharing key': keyring.sharing.privateKey,
    'recovery entropy': await parseRecoveryWords(person.recoveryWords),
    'recovery wrap': await deriveKey(await parseRecoveryWords(person.recoveryWords), 'recovery-wrap'),
    'export key': exportKey,
    'export wrap': kek,
    'journal key': await deriveKey(vaultKey, 'journal', vault),
  };
  return Object.entries(secrets).map(([secret, bytes]) => ({ name: secret, bytes: Buffer.from(bytes) }));
}

/** Node's fetch keeps no cookies and names no origin: what the broker asks of a browser is added here. */
function actAsBrowser(origin: string): void {
  const cookies = new Map<string, string>();
  const plainFetch = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(origin)) return plainFetch(input, init);
    const headers = new Headers(init?.headers);
    headers.set('origin', origin);
    headers.set('sec-fetch-site', 'same-origin');
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await plainFetch(input, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return response;
  };
}
