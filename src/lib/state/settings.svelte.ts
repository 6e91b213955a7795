import type { StorageReport, TransferSettings } from '../protocol/transfer.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import { askToKeep } from '../platform/persistence.ts';

/** How this device is set up, and what it holds. Undefined until read. */
export class Settings {
  readonly #worker: CryptoWorker;
  #transfer = $state.raw<TransferSettings | undefined>();
  #storage = $state.raw<StorageReport | undefined>();
  #asksPassphrase = $state.raw<boolean | undefined>();
  #letterKeys = $state.raw<boolean | undefined>();

  constructor(worker: CryptoWorker) {
    this.#worker = worker;
  }

  get transfer(): TransferSettings | undefined {
    return this.#transfer;
  }

  get storage(): StorageReport | undefined {
    return this.#storage;
  }

  /** Whether the passphrase is asked for at each start. */
  get asksPassphrase(): boolean | undefined {
    return this.#asksPassphrase;
  }

  /** Whether single letters do something. */
  get letterKeys(): boolean | undefined {
    return this.#letterKeys;
  }

  /** @throws {HalfkeyError} when the worker cannot read them */
  async readTransfer(): Promise<void> {
    this.#transfer = await this.#worker.send('settings/read', {});
  }

  async readStorage(): Promise<void> {
    this.#storage = undefined; // What it was before says nothing about now.
    this.#storage = await this.#worker.send('storage/read', {});
  }

  async readStart(): Promise<void> {
    this.#asksPassphrase = (await this.#worker.send('start/read', {})).asksPassphrase;
  }

  async readLetterKeys(): Promise<void> {
    this.#letterKeys = (await this.#worker.send('letter-keys/read', {})).isOn;
  }

  async changeLetterKeys(isOn: boolean): Promise<void> {
    await this.#worker.send('letter-keys/write', { isOn });
    this.#letterKeys = isOn;
  }

  async change(changed: Partial<TransferSettings>): Promise<void> {
    if (!this.#transfer) return;
    const settings = { ...this.#transfer, ...changed };
    await this.#worker.send('settings/write', settings);
    this.#transfer = settings;
  }

  /** Asks the browser not to evict what is stored here. @returns whether it promised */
  async keepData(): Promise<boolean> {
    const isKept = await askToKeep();
    await this.readStorage();
    return isKept;
  }

  /**
   * @throws {HalfkeyError} `passphrase_wrong`; `broker_unreachable`, because the passphrase is checked against the
   * account
   */
  async askAtStart(passphrase: string): Promise<void> {
    await this.#worker.send('start/write', { passphrase });
    this.#asksPassphrase = true;
  }

  async stopAskingAtStart(): Promise<void> {
    await this.#worker.send('start/write', {});
    this.#asksPassphrase = false;
  }

  /** Names of the other devices that may read this drive. */
  async otherDevices(): Promise<readonly string[]> {
    return (await this.#worker.send('who/read', {})).otherDevices;
  }

  clear(): void {
    this.#transfer = undefined;
    this.#storage = undefined;
    this.#asksPassphrase = undefined;
    this.#letterKeys = undefined;
  }
}
