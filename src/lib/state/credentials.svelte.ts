import type { Commands } from '../protocol/commands.ts';
import type { Factor } from '../protocol/session.ts';
import type { KitPart } from '../protocol/credentials.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';

type Result<Name extends keyof Commands> = Promise<Commands[Name]['result']>;

/** What one signs in and gets back in with, made anew. Everything but the note about the kit wants `prove` first. */
export class Credentials {
  readonly #worker: CryptoWorker;
  #unkept = $state.raw<readonly KitPart[]>([]);

  constructor(worker: CryptoWorker) {
    this.#worker = worker;
  }

  /** What of a kit was shown on this device, as long as nobody has said that it is kept. */
  get unkept(): readonly KitPart[] {
    return this.#unkept;
  }

  async readKit(): Promise<void> {
    this.#unkept = (await this.#worker.send('kit/read', {})).unkept;
  }

  /** Somebody has put these away. */
  async keepKit(...parts: readonly KitPart[]): Promise<void> {
    await this.#worker.send('kit/kept', { parts });
    this.#unkept = this.#unkept.filter((part) => !parts.includes(part));
  }

  clear(): void {
    this.#unkept = [];
  }

  prove(passphrase: string, factor: Factor): Result<'credentials/prove'> {
    return this.#worker.send('credentials/prove', { passphrase, factor });
  }

  /** Ten codes to be shown; they count once accepted. */
  newBackupCodes(): Result<'credentials/backup-codes'> {
    return this.#worker.send('credentials/backup-codes', {});
  }

  /** 24 words to be shown; they count once accepted. */
  newKit(): Result<'credentials/kit'> {
    return this.#worker.send('credentials/kit', {});
  }

  /** What was shown last is kept, and counts. */
  async accept(): Promise<void> {
    await this.#worker.send('credentials/accept', {});
    await this.readKit().catch(() => undefined); // Asked again at the next start.
  }

  newAuthenticator(): Result<'credentials/authenticator'> {
    return this.#worker.send('credentials/authenticator', {});
  }

  confirmAuthenticator(code: string): Result<'credentials/authenticator-confirm'> {
    return this.#worker.send('credentials/authenticator-confirm', { code });
  }

  newPassphrase(passphrase: string): Result<'credentials/passphrase'> {
    return this.#worker.send('credentials/passphrase', { passphrase });
  }

  /** The other devices, which may be signed out. */
  devices(): Result<'credentials/devices'> {
    return this.#worker.send('credentials/devices', {});
  }

  /** What another device did to the list since a moment. */
  activity(device: string, sinceMs: number): Result<'credentials/activity'> {
    return this.#worker.send('credentials/activity', { device, sinceMs });
  }

  /**
   * Signs another device out for good.
   * @param about what becomes of what it wrote and uploaded; without, all of it counts that is in the drive
   */
  revoke(
    device: string,
    about: Omit<Commands['credentials/revoke']['args'], 'device'> = {},
  ): Result<'credentials/revoke'> {
    return this.#worker.send('credentials/revoke', { device, ...about });
  }

  /** Forgets what was proven. */
  end(): Result<'credentials/end'> {
    return this.#worker.send('credentials/end', {});
  }
}
