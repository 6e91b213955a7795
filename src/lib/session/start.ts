import { newStartLock } from '../account/start-key.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import { readAttempts, saveAttempts } from '../store/attempts.ts';
import type { StoredAttempts } from '../store/database.ts';
import { provePassphrase } from './entry/passphrase-proof.ts';
import type { LocalAccount, DeviceStore } from './device-store.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';
import { LOCKS } from '../concurrency/locks.ts';

/** So many wrong passphrases are mistyped ones; then each doubles the pause, up to five minutes. */
const FREE_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 300_000;

/**
 * Opens what is stored here with the passphrase, without the broker. Who has the disk can guess elsewhere, as fast as
 * Argon2id lets him; the pause is for somebody who has only the app. An attempt is counted before it is made, and tabs
 * take turns.
 *
 * @throws {HalfkeyError} `passphrase_wrong` with the seconds to wait before the next try; `too_many_requests` when they
 *   are not over; `kdf_downgrade`, `device_state_lost`
 */
export async function openWithPassphrase(
  deviceStore: DeviceStore,
  passphrase: string,
  nowMs: () => number,
): Promise<LocalAccount> {
  return navigator.locks.request(LOCKS.start, async () => {
    const database = await deviceStore.database();
    const before = await readAttempts(database);
    const waitMs = before ? restOfPauseMs(before, nowMs()) : 0;
    if (before && waitMs > 0) {
      // The clock was set back to before the last attempt: the pause starts again instead of lasting until then.
      if (before.lastMs > nowMs()) await saveAttempts(database, { ...before, lastMs: nowMs() });
      throw new HalfkeyError('too_many_requests', 'the pause after wrong passphrases is not over', {
        detail: { retryAfterSeconds: Math.ceil(waitMs / 1000) },
      });
    }
    const counted = { wrong: (before?.wrong ?? 0) + 1, lastMs: nowMs() };
    await saveAttempts(database, counted);
    try {
      const localAccount = await deviceStore.openWith(passphrase);
      await saveAttempts(database, undefined);
      return localAccount;
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'passphrase_wrong') {
        await saveAttempts(database, before); // The passphrase was not what went wrong.
        throw error;
      }
      const retryAfterSeconds = Math.ceil(pauseMs(counted.wrong) / 1000);
      throw new HalfkeyError('passphrase_wrong', error.message, {
        detail: retryAfterSeconds > 0 ? { retryAfterSeconds } : {},
      });
    }
  });
}

/** How long to wait after so many wrong passphrases in a row. */
export function pauseMs(wrong: number): number {
  return wrong <= FREE_ATTEMPTS
    ? 0
    : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (wrong - FREE_ATTEMPTS - 1));
}

function restOfPauseMs({ wrong, lastMs }: StoredAttempts, nowMs: number): number {
  return pauseMs(wrong) - Math.max(0, nowMs - lastMs);
}

/**
 * Sets whether this device asks for the passphrase at each start.
 *
 * @param passphrase the account's: from now on it does; undefined: no longer
 * @param deps.isStillThere false once the account was signed out; asked before anything is written
 * @throws {HalfkeyError} as `provePassphrase`; `session_missing` when somebody signed out, or in, meanwhile
 */
export async function setStart(
  passphrase: string | undefined,
  localAccount: LocalAccount,
  deps: { readonly deviceStore: DeviceStore; readonly broker: Broker; readonly isStillThere: () => boolean },
): Promise<void> {
  const { deviceStore, broker, isStillThere } = deps;
  const { account, keyring } = localAccount.account;
  if (passphrase !== undefined) {
    const { exportKey } = await provePassphrase(passphrase, localAccount.account, broker);
    exportKey.fill(0);
  }
  const lock = passphrase === undefined ? undefined : await newStartLock(passphrase, account);
  using _key = wipeAtEnd(lock?.key);
  const owner = await deviceStore.owner();
  // Another tab may have changed the passphrase: what it wrote is not written over.
  const isSame = owner?.account === account && owner.keyring.version === keyring.version;
  if (!isSame || !isStillThere()) {
    throw new HalfkeyError('session_missing', 'somebody signed out, or in, meanwhile');
  }
  await deviceStore.keep(localAccount, lock);
}
