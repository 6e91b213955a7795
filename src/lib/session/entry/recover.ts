import { recoveryCode, recoveryComplete, recoveryProve } from '$contract/accounts.ts';
import type { AccountId } from '$contract/ids.ts';
import { openKeyring, rewrapKeyring, type OpenKeyring } from '../../account/keyring.ts';
import { beginRegistration } from '../../account/opaque-worker.ts';
import { requireStrong } from '../../account/passphrase.ts';
import { parseRecoveryWords } from '../../account/recovery.ts';
import { toB64Url } from '../../bytes.ts';
import type { Broker } from '../../remote/broker.ts';
import { keyringBytes, type Entry } from './entry.ts';
import { parseFactor } from '../../account/factor.ts';
import { signWithKit } from './kit-proof.ts';
import type { Commands } from '../../protocol/commands.ts';
import type { DeviceStore } from '../device-store.ts';
import { enterAs } from './revoked-device.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

/**
 * Kit and code in place of the passphrase, and a new passphrase: the keyring is wrapped again, one version on, and
 * every older session ends.
 *
 * @throws {HalfkeyError} `recovery_words_malformed`, `passphrase_weak` and `code_malformed` before anything is sent;
 *   `recovery_refused`, `code_wrong` and its like; `keyring_corrupt`, `server_unknown`, `keyring_changed`
 */
export async function recover(
  args: Commands['recover']['args'],
  { broker, deviceStore, nowMs }: { broker: Broker; deviceStore: DeviceStore; nowMs: () => number },
): Promise<Entry> {
  const { account, registrationRecord, keyring } = await rewrap(args, broker);
  const startLock = await deviceStore.lockFor(account, args.passphrase);
  const sentAtMs = nowMs();
  const { device, answer: signedIn } = await enterAs(
    await deviceStore.deviceFor(account),
    ({ id, publicKey }) =>
      broker.call(recoveryComplete, {
        registrationRecord,
        keyring: { version: keyring.version, bytes: toB64Url(keyring.bytes) },
        device: { id, publicKey: toB64Url(publicKey) },
      }),
  );
  return { signedIn, keyring, device, sentAtMs, ...(startLock && { startLock }) };
}

/** What takes the place of the old passphrase, not sent yet. All secrets that it took are forgotten. */
async function rewrap(
  { words, passphrase, factor: typed }: Commands['recover']['args'],
  broker: Broker,
): Promise<{ account: AccountId; registrationRecord: string; keyring: OpenKeyring }> {
  const recoveryEntropy = await parseRecoveryWords(words);
  using _entropy = wipeAtEnd(recoveryEntropy);
  const factor = parseFactor(typed);
  await requireStrong(passphrase, '');
  const signature = await signWithKit(recoveryEntropy, 'recovery', broker);
  const { account } = await broker.call(recoveryProve, { signature });

  using registration = await beginRegistration(passphrase);
  const answer = await broker.call(recoveryCode, { factor, registrationRequest: registration.request });
  const current = keyringBytes(answer.keyring);
  const { serverPublicKey, userName } = await openKeyring(current, account, { recoveryEntropy });
  await requireStrong(passphrase, userName); // Once more: who the words belong to was not known before.
  const { message, exportKey } = await registration.finish(answer.registrationResponse, serverPublicKey);
  using _exportKey = wipeAtEnd(exportKey);
  const keyring = await rewrapKeyring(current, account, { recoveryEntropy }, { exportKey });
  return { account, registrationRecord: message, keyring };
}
