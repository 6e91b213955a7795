import { newStartLock, startKey } from '../account/start-key.ts';
import type { Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import {
  readAccount,
  readOwner,
  saveAccount,
  type AccountRecord,
  type Owner,
  type StartLock,
} from '../store/account-record.ts';
import { openDatabase, type Database, type DeviceRecord } from '../store/database.ts';
import { createDevice, readDevice, saveDevice } from '../store/device-record.ts';
import { wipeDevice } from '../store/wipe.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

/** Whose account is on this device. */
export interface LocalAccount {
  readonly device: DeviceRecord;
  readonly account: AccountRecord;
}

/** What is stored on this device, and the way to be rid of it. */
export class DeviceStore {
  readonly #onTaken: () => void;
  #opening: Promise<Database> | undefined;

  /** @param onTaken another tab has wiped the device */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  /**
   * Open until the device is wiped, and opened again then when it is asked for.
   * @throws {HalfkeyError} `browser_lacks`
   */
  database(): Promise<Database> {
    this.#opening ??= openDatabase(() => {
      this.#opening = undefined;
      this.#onTaken();
    }).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /**
   * @returns undefined where nobody has signed in; `closed` where the passphrase is asked for first
   * @throws {HalfkeyError} `device_state_lost`
   */
  async localAccount(): Promise<LocalAccount | 'closed' | undefined> {
    const owner = await readOwner(await this.database());
    return owner?.stretching ? 'closed' : this.#read();
  }

  /**
   * Opens what the passphrase closes.
   * @throws {HalfkeyError} `passphrase_wrong`; `kdf_downgrade`, `device_state_lost`; `session_missing` where no account
   *   is on this device
   */
  async openWith(passphrase: string): Promise<LocalAccount> {
    const owner = await readOwner(await this.database());
    const key = owner?.stretching && (await startKey(passphrase, owner.account, owner.stretching));
    using _key = wipeAtEnd(key);
    const localAccount = await this.#read(key);
    if (localAccount) return localAccount;
    throw new HalfkeyError('session_missing', 'nobody has signed in on this device');
  }

  /**
   * What is known without a key, and so is nothing but a claim; undefined where nobody has signed in, or where it is
   * damaged.
   */
  async owner(): Promise<Owner | undefined> {
    return unlessLost(readOwner(await this.database()));
  }

  /** The broker's OPAQUE key as this device has met it; undefined where nobody has signed in. */
  async serverPublicKey(): Promise<string | undefined> {
    return (await this.owner())?.serverPublicKey;
  }

  /**
   * What keeps an account closed that is closed on this device, under a passphrase that was just typed; else undefined.
   */
  async lockFor(account: string, passphrase: string): Promise<StartLock | undefined> {
    const owner = await this.owner();
    const isClosed = owner?.account === account && owner.stretching !== undefined;
    return isClosed ? newStartLock(passphrase, account) : undefined;
  }

  /**
   * The keys with which this device enters an account: its own again, or new ones where another account is on this
   * device.
   */
  async deviceFor(account: string): Promise<DeviceRecord> {
    const device = await unlessLost(readDevice(await this.database()));
    const owner = await this.owner();
    return device && (owner === undefined || owner.account === account) ? device : createDevice();
  }

  /**
   * Removes what another account has left, and keeps the device's keys: anyone who they are enrolled for must be able
   * to sign.
   */
  async prepare(account: string, device: DeviceRecord): Promise<Database> {
    const owner = await this.owner();
    if (owner && owner.account !== account) await this.wipe();
    const database = await this.database();
    // Whose copies these are, a damaged record does not say. Captured uploads name their vault themselves.
    if (!owner) for (const store of ['journal', 'events'] as const) await database.clear(store);
    await saveDevice(database, device);
    return database;
  }

  /** @param lock present: opens with it alone from now on; what was wrong before is forgotten */
  async keep({ device, account }: LocalAccount, lock?: StartLock): Promise<void> {
    const database = await this.database();
    await saveAccount(database, device, account, lock);
    await database.clear('attempts');
  }

  async wipe(): Promise<void> {
    const database = await this.database();
    this.#opening = undefined;
    await wipeDevice(database);
  }

  async #read(key?: Bytes): Promise<LocalAccount | undefined> {
    const database = await this.database();
    const device = await readDevice(database);
    if (device) {
      const account = await readAccount(database, device, key);
      return account && { device, account };
    }
    if (!(await readOwner(database))) return undefined;
    throw new HalfkeyError(
      'device_state_lost',
      "an account is at home here, but this device's keys are gone",
    );
  }
}

/** What is damaged is as good as absent to anyone who is about to write it anew. */
async function unlessLost<Result>(reading: Promise<Result>): Promise<Result | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HalfkeyError && error.code === 'device_state_lost') return undefined;
    throw error;
  }
}
