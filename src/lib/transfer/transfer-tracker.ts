import { toFailure } from '../protocol/failure.ts';
import type { Failure } from '../protocol/failure.ts';
import type { Holdup, TransferPhase, TransferReport } from '../protocol/transfer.ts';
import { Meter } from './meter.ts';

/** Where reports go. */
export interface Reporter {
  report(transfer: TransferReport): void;
  gone(transfer: string): void;
}

/**
 * What the page knows of one transfer. Ends in exactly one of `done`, `cancelled`, `failed`, unless it is taken up
 * again.
 */
export class TransferTracker {
  readonly transfer: string;
  readonly #direction: 'up' | 'down';
  readonly #name: string;
  readonly #totalBytes: number;
  readonly #sizeBytes: number;
  readonly #isHandedOver: true | undefined;
  readonly #reporter: Reporter;
  readonly #nowMs: () => number;
  #phase: TransferPhase;
  #holdup: Holdup | undefined;
  #restsHere = false;
  #doneBytes = 0;
  #meter = new Meter();
  #failure: Failure | undefined;
  #isSafe: boolean;
  #instead: TransferReport['instead'];
  #isForgotten = false;

  /** @param initial `waiting` and not safe when absent */
  constructor(
    about: Pick<
      TransferReport,
      'transfer' | 'direction' | 'name' | 'totalBytes' | 'sizeBytes' | 'isHandedOver'
    >,
    reporter: Reporter,
    nowMs: () => number,
    initial: { readonly phase?: TransferPhase; readonly isSafe?: boolean } = {},
  ) {
    this.transfer = about.transfer;
    this.#direction = about.direction;
    this.#name = about.name;
    this.#totalBytes = about.totalBytes;
    this.#sizeBytes = about.sizeBytes;
    this.#isHandedOver = about.isHandedOver;
    this.#reporter = reporter;
    this.#nowMs = nowMs;
    this.#phase = initial.phase ?? 'waiting';
    this.#isSafe = initial.isSafe ?? false;
    this.#report();
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get phase(): TransferPhase {
    return this.#phase;
  }

  get ended(): boolean {
    return this.#phase === 'done' || this.#phase === 'cancelled' || this.#phase === 'failed';
  }

  /** What was cancelled stays so, whatever its parts still say on their way out; unless it was done already. */
  enter(phase: Exclude<TransferPhase, 'failed' | 'waiting-for-network'>): void {
    if (phase === 'waiting-for-code') this.#waitForCode(false);
    else this.#enter(phase);
  }

  /** The server takes no more of it without a code. */
  waitHereForCode(): void {
    this.#waitForCode(true);
  }

  /** It does not go on for now; said again when the reason is another. */
  waitForNetwork(holdup: Holdup): void {
    const isSaid = this.#holdup?.why === holdup.why && this.#holdup.nextTryAtMs === holdup.nextTryAtMs;
    if (this.#phase === 'waiting-for-network' && isSaid) return;
    this.#holdup = holdup;
    if (this.#phase === 'waiting-for-network') this.#report();
    else this.#enter('waiting-for-network');
  }

  #waitForCode(restsHere: boolean): void {
    const isOther = this.#restsHere !== restsHere;
    this.#restsHere = restsHere;
    if (this.#phase !== 'waiting-for-code') this.#enter('waiting-for-code');
    else if (isOther) this.#report();
  }

  #enter(phase: Exclude<TransferPhase, 'failed'>): void {
    if (this.#phase === phase || (this.#phase === 'cancelled' && phase !== 'done')) return;
    if (this.ended) this.#meter = new Meter();
    this.#phase = phase;
    this.#failure = undefined;
    this.#report();
  }

  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** Reported once per tick at most. @returns whether it was */
  progress(doneBytes: number): boolean {
    if (this.ended) return false;
    this.#doneBytes = doneBytes;
    const isDue = this.#meter.sample(doneBytes, this.#nowMs());
    if (isDue) this.#report();
    return isDue;
  }

  /** It went to another place than was wanted; to be said before it is done. */
  landed(instead: NonNullable<TransferReport['instead']>): void {
    this.#instead = instead;
  }

  /** Whether the tab may be closed without losing it. */
  safe(isSafe: boolean): void {
    if (this.#isSafe === isSafe) return;
    this.#isSafe = isSafe;
    this.#report();
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

  /** The file that was picked again is another one: which one was meant is asked once more. */
  askAgain(error: unknown): void {
    if (this.ended) return;
    this.#phase = 'waiting-for-file';
    this.#failure = toFailure(error);
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
      ...(this.#phase === 'waiting-for-network' && this.#holdup && { holdup: this.#holdup }),
      ...(this.#phase === 'waiting-for-code' && this.#restsHere && { restsHere: true }),
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      sizeBytes: this.#sizeBytes,
      canRetry:
        this.#direction === 'up' && this.#phase === 'failed' && this.#failure?.code !== 'source_changed',
      isSafe: this.#isSafe || this.ended,
      ...(this.ended ? {} : this.#meter.pace(this.#totalBytes)),
      ...(this.#failure && { error: this.#failure }),
      ...(this.#isHandedOver && { isHandedOver: true }),
      ...(this.#instead && { instead: this.#instead }),
    });
  }
}
