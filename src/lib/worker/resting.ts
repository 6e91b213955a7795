import { readAccount, readOwner, saveAccount, type AccountRecord } from '../store/account-record.ts';
import { openDatabase, type Database, type DeviceRecord } from '../store/database.ts';
import { createDevice, readDevice, saveDevice } from '../store/device-record.ts';
import { wipeDevice } from '../store/wipe.ts';

/** Who is at home on this device. */
export interface Resident {
  readonly device: DeviceRecord;
  readonly account: AccountRecord;
}

/** What rests on this device, and the way to be rid of it. */
export class Resting {
  readonly #onTaken: () => void;
  #opening: Promise<Database> | undefined;

  /** @param onTaken another tab has wiped the device */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  /** Open until the device is wiped, and opened again then when it is asked for. @throws {HalfkeyError} `browser_lacks` */
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
   * @returns undefined where nobody has signed in
   * @throws {HalfkeyError} `device_state_lost`
   */
  async resident(): Promise<Resident | undefined> {
    const database = await this.database();
    const device = await readDevice(database);
    const account = device && (await readAccount(database, device));
    return device && account && { device, account };
  }

  /** The broker's OPAQUE key as this device has met it; undefined where nobody has signed in. */
  async serverPublicKey(): Promise<string | undefined> {
    return (await readOwner(await this.database()))?.serverPublicKey;
  }

  /** The keys with which this device enters an account: its own again, or new ones where another account is at home. */
  async deviceFor(account: string): Promise<DeviceRecord> {
    const database = await this.database();
    const device = await readDevice(database);
    const owner = (await readOwner(database))?.account;
    return device && (owner === undefined || owner === account) ? device : createDevice();
  }

  /** Removes what another account has left, and keeps the device's keys: whoever they are enrolled for must be able to sign. */
  async prepare(account: string, device: DeviceRecord): Promise<Database> {
    const before = await this.database();
    const owner = (await readOwner(before))?.account;
    if (owner !== undefined && owner !== account) await this.wipe();
    const database = await this.database();
    await saveDevice(database, device);
    return database;
  }

  async keep({ device, account }: Resident): Promise<void> {
    await saveAccount(await this.database(), device, account);
  }

  async wipe(): Promise<void> {
    const database = await this.database();
    this.#opening = undefined;
    await wipeDevice(database);
  }
}
