import type { DroppedChange } from '../protocol/drive.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';

/** Changes that were made here and given up later: told until somebody has seen it, after a restart too. */
export class DroppedChanges {
  readonly #worker: CryptoWorker;
  #all = $state.raw<readonly DroppedChange[]>([]);

  constructor(worker: CryptoWorker) {
    this.#worker = worker;
  }

  get all(): readonly DroppedChange[] {
    return this.#all;
  }

  apply(changes: readonly DroppedChange[]): void {
    this.#all = changes;
  }

  /** What is shown now was seen. @throws {HalfkeyError} when that cannot be kept */
  dismiss(): Promise<void> {
    return this.#worker.send('changes/heard', { keys: this.#all.map(({ key }) => key) });
  }
}
