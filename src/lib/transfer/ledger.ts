import { HalfkeyError } from '../errors.ts';
import type { Failure, TransferPhase, TransferReport } from '../worker/protocol.ts';
import { Meter } from './meter.ts';

/** Where reports go. */
export interface Reporter {
  report(transfer: TransferReport): void;
  gone(transfer: string): void;
}

/** An error as the page may see it. Anything that Halfkey did not throw by intent is `internal`. */
export function toFailure(error: unknown): Failure {
  if (error instanceof HalfkeyError) return { code: error.code, detail: error.detail };
  return { code: 'internal', detail: {} };
}

/** What the page knows of one transfer. Ends in exactly one of `done`, `cancelled`, `failed`, unless it is taken up again. */
export class LedgerEntry {
  readonly transfer: string;
  readonly #direction: 'up' | 'down';
  readonly #name: string;
  readonly #totalBytes: number;
  readonly #sizeBytes: number;
  readonly #reporter: Reporter;
  readonly #nowMs: () => number;
  #phase: TransferPhase = 'waiting';
  #doneBytes = 0;
  #meter = new Meter();
  #failure: Failure | undefined;
  #isForgotten = false;

  constructor(
    about: Pick<TransferReport, 'transfer' | 'direction' | 'name' | 'totalBytes' | 'sizeBytes'>,
    reporter: Reporter,
    nowMs: () => number,
  ) {
    this.transfer = about.transfer;
    this.#direction = about.direction;
    this.#name = about.name;
    this.#totalBytes = about.totalBytes;
    this.#sizeBytes = about.sizeBytes;
    this.#reporter = reporter;
    this.#nowMs = nowMs;
    this.#report();
  }

  get phase(): TransferPhase {
    return this.#phase;
  }

  get ended(): boolean {
    return this.#phase === 'done' || this.#phase === 'cancelled' || this.#phase === 'failed';
  }

  /** What was cancelled stays so, whatever its parts still say on their way out; unless it was done already. */
  enter(phase: Exclude<TransferPhase, 'failed'>): void {
    if (this.#phase === phase || (this.#phase === 'cancelled' && phase !== 'done')) return;
    if (this.ended) this.#meter = new Meter();
    this.#phase = phase;
    this.#failure = undefined;
    this.#report();
  }

  /** Reported once per tick at most. */
  progress(doneBytes: number): void {
    if (this.ended) return;
    this.#doneBytes = doneBytes;
    if (this.#meter.sample(doneBytes, this.#nowMs())) this.#report();
  }

  fail(error: unknown): void {
    if (this.#phase === 'cancelled') return;
    if (error instanceof DOMException && error.name === 'AbortError') {
      this.enter('cancelled');
      return;
    }
    this.#failure = toFailure(error);
    this.#phase = 'failed';
    this.#report();
  }

  /** Nothing is said of it any more. */
  forget(): void {
    this.#isForgotten = true;
    this.#reporter.gone(this.transfer);
  }

  #report(): void {
    if (this.#isForgotten) return;
    this.#reporter.report({
      transfer: this.transfer,
      direction: this.#direction,
      name: this.#name,
      phase: this.#phase,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      sizeBytes: this.#sizeBytes,
      canRetry:
        this.#direction === 'up' && this.#phase === 'failed' && this.#failure?.code !== 'source_changed',
      ...(this.ended ? {} : this.#meter.pace(this.#totalBytes)),
      ...(this.#failure && { error: this.#failure }),
    });
  }
}
