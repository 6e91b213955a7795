import type { FactorReset } from '../protocol/credentials.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';

/** Another authenticator that somebody has asked for without a code: what every device is told of, and may stop. */
export class FactorResetWatch {
  readonly #worker: CryptoWorker;
  #pending = $state.raw<FactorReset | undefined>();
  #isStopped = $state.raw(false);
  /** Which one somebody here knows of. */
  #knownAtMs = $state.raw<number | undefined>();

  constructor(worker: CryptoWorker) {
    this.#worker = worker;
  }

  /** What was not acknowledged here. */
  get pending(): FactorReset | undefined {
    return this.#pending?.askedAtMs === this.#knownAtMs ? undefined : this.#pending;
  }

  /** Stopped from here, until the message is put away. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  apply(pending: FactorReset | undefined): void {
    this.#pending = pending;
  }

  async stop(): Promise<void> {
    await this.#worker.send('factor-reset/stop', {});
    this.#isStopped = true;
  }

  dismiss(): void {
    this.#knownAtMs = this.#pending?.askedAtMs;
    this.#isStopped = false;
  }

  clear(): void {
    this.#pending = undefined;
    this.#isStopped = false;
  }
}
