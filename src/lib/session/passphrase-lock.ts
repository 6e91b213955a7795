/** What closing a session takes. */
export interface PassphraseLockDeps {
  /** Whether this device asks for the passphrase at each start, and so after each lock. */
  readonly asks: () => Promise<boolean>;
  /** Whether nothing would be lost by it now. */
  readonly mayClose: () => boolean;
  /** Lets go of every key. */
  readonly close: () => void;
}

/** A session on its way from locked to closed: at once where nothing is lost by it, and else as soon as that is so. */
export class PassphraseLock {
  readonly #deps: PassphraseLockDeps;
  #isDue = false;

  constructor(deps: PassphraseLockDeps) {
    this.#deps = deps;
  }

  /** Locked, or left alone for long. Where no passphrase is asked for, nothing follows. */
  async begin(): Promise<void> {
    this.#isDue = true;
    const asks = await this.#deps.asks().catch(() => false); // Wiped by another tab: that is heard by itself.
    if (asks) this.again();
    else this.cancel();
  }

  /** What kept it from being closed may be over. */
  again(): void {
    if (!this.#isDue || !this.#deps.mayClose()) return;
    this.cancel();
    this.#deps.close();
  }

  /** A code was typed meanwhile, or somebody has come in or left. */
  cancel(): void {
    this.#isDue = false;
  }
}
