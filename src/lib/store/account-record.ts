import type { Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { open, seal } from '../crypto/floe.ts';
import { HalfkeyError } from '../errors.ts';
import {
  ONLY,
  writing,
  type Database,
  type DeviceRecord,
  type StoredAccount,
  type StoredEventHead,
} from './database.ts';

/** An account's record with its keys opened. */
export interface AccountRecord extends Omit<StoredAccount, 'sealedAccountKey' | 'sealedVaultKey'> {
  /** 32 bytes. */
  readonly accountKey: Bytes;
  /** 32 bytes. */
  readonly vaultKey: Bytes;
}

/** @throws {HalfkeyError} `device_full` */
export async function saveAccount(
  database: Database,
  { wrapKey }: DeviceRecord,
  record: AccountRecord,
): Promise<void> {
  const { accountKey, vaultKey, ...rest } = record;
  const [sealedAccountKey, sealedVaultKey] = await Promise.all([
    seal(wrapKey, accountKeyAad(record), accountKey),
    seal(wrapKey, vaultKeyAad(record), vaultKey),
  ]);
  await writing(() => database.put('account', { ...rest, sealedAccountKey, sealedVaultKey }, ONLY));
}

/**
 * @returns undefined on a device without an account
 * @throws {HalfkeyError} `device_state_lost` when the device's wrap key does not open the keys: sign in again
 */
export async function readAccount(
  database: Database,
  { wrapKey }: DeviceRecord,
): Promise<AccountRecord | undefined> {
  const stored = await database.get('account', ONLY);
  if (!stored) return undefined;
  const { sealedAccountKey, sealedVaultKey, ...rest } = stored;
  try {
    const [accountKey, vaultKey] = await Promise.all([
      open(wrapKey, accountKeyAad(rest), sealedAccountKey),
      open(wrapKey, vaultKeyAad(rest), sealedVaultKey),
    ]);
    return { ...rest, accountKey, vaultKey };
  } catch (cause) {
    throw new HalfkeyError('device_state_lost', 'the keys that rest on this device do not open', { cause });
  }
}

/** Whose record it is and the server it belongs to, without opening its keys. @returns undefined on a device without an account */
export async function readOwner(
  database: Database,
): Promise<Pick<StoredAccount, 'account' | 'serverPublicKey'> | undefined> {
  return database.get('account', ONLY);
}

/** @returns undefined where no event was seen yet */
export function readEventHead(database: Database): Promise<StoredEventHead | undefined> {
  return database.get('events', ONLY);
}

/** Keeps what another tab has seen beyond it. @throws {HalfkeyError} `device_full` */
export async function saveEventHead(database: Database, head: StoredEventHead): Promise<void> {
  await writing(async () => {
    const { store, done } = database.transaction('events', 'readwrite');
    const stored = await store.get(ONLY);
    if (!stored || stored.seq < head.seq) await store.put(head, ONLY);
    await done;
  });
}

function accountKeyAad({ account }: Pick<StoredAccount, 'account'>): Bytes {
  return sealAad('device-wrap', account, 'account-key', 0);
}

function vaultKeyAad({ vault, epoch }: Pick<StoredAccount, 'vault' | 'epoch'>): Bytes {
  return sealAad('device-wrap', vault, 'vault-key', epoch);
}
