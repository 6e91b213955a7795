import type { TransferReport } from '../protocol/transfer.ts';

/** Uploads that would be lost if every key left memory now: files that are just being taken in. */
export class UnsafeTransfers {
  readonly #onSafe: () => void;
  readonly #unsafe = new Set<string>();

  /** @param onSafe the last of them is safe, or over */
  constructor(onSafe: () => void) {
    this.#onSafe = onSafe;
  }

  get size(): number {
    return this.#unsafe.size;
  }

  hear({ transfer, direction, phase, isSafe }: TransferReport): void {
    const isOver = phase === 'done' || phase === 'cancelled' || phase === 'failed';
    // What waits for its file again is as lost as it will ever be.
    if (direction === 'up' && !isSafe && !isOver && phase !== 'waiting-for-file') this.#unsafe.add(transfer);
    else this.forget(transfer);
  }

  forget(transfer: string): void {
    if (this.#unsafe.delete(transfer) && this.#unsafe.size === 0) this.#onSafe();
  }
}
