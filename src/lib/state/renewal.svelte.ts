import type { Commands } from '../protocol/commands.ts';
import type { Factor } from '../protocol/session.ts';
import type { KitPart } from '../protocol/credentials.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';

type Result<Name extends keyof Commands> = Promise<Commands[Name]['result']>;

/** What one signs in and gets back in with, made anew. Everything but the note about the kit wants `prove` first. */
export class Renewal {
  readonly #worker: CryptoWorker;
  #unkept = $state.raw<readonly KitPart[]>([]);

  constructor(worker: CryptoWorker) {
    this.#worker = worker;
  }

  /** What of a kit was shown on this device, and nobody has said that it is kept. */
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

  prove(passphrase: string, factor: Factor): Result<'renewal/prove'> {
    return this.#worker.send('renewal/prove', { passphrase, factor });
  }

  /** Ten codes to be shown; they count once accepted. */
  newBackupCodes(): Result<'renewal/backup-codes'> {
    return this.#worker.send('renewal/backup-codes', {});
  }

  /** 24 words to be shown; they count once accepted. */
  newKit(): Result<'renewal/kit'> {
    return this.#worker.send('renewal/kit', {});
  }

  /** What was shown last is kept, and counts. */
  async accept(): Promise<void> {
    await this.#worker.send('renewal/accept', {});
    await this.readKit().catch(() => undefined); // Asked again at the next start.
  }

  newAuthenticator(): Result<'renewal/authenticator'> {
    return this.#worker.send('renewal/authenticator', {});
  }

  confirmAuthenticator(code: string): Result<'renewal/authenticator-confirm'> {
    return this.#worker.send('renewal/authenticator-confirm', { code });
  }

  newPassphrase(passphrase: string): Result<'renewal/passphrase'> {
    return this.#worker.send('renewal/passphrase', { passphrase });
  }

  /** The other devices, which may be signed out. */
  devices(): Result<'renewal/devices'> {
    return this.#worker.send('renewal/devices', {});
  }

  /** Signs another device out for good. */
  revoke(device: string): Result<'renewal/revoke'> {
    return this.#worker.send('renewal/revoke', { device });
  }

  /** Forgets what was proven. */
  end(): Result<'renewal/end'> {
    return this.#worker.send('renewal/end', {});
  }
}
