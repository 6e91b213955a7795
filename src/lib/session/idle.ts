/** Without input for so long, what is open locks. */
export const IDLE_MS = 5 * 60_000;
/** What could not be closed yet is looked at again. */
const AGAIN_MS = 30_000;

/** Notices that nobody is there: nobody in any tab, because each tells the others of input. */
export class Idle {
  readonly #nowMs: () => number;
  readonly #onIdle: () => void;
  #lastInputMs = 0;
  /** There has been no input since `onIdle` was called. */
  #isNoticed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onIdle five minutes without input; called again while that lasts, every half minute */
  constructor(nowMs: () => number, onIdle: () => void) {
    this.#nowMs = nowMs;
    this.#onIdle = onIdle;
  }

  /** Begins to watch; somebody is there. */
  begin(): void {
    this.stop();
    this.active();
    this.#watch(IDLE_MS);
  }

  /** Somebody is there: after a long absence, sleep say, that is noticed first. */
  active(): void {
    const nowMs = this.#nowMs();
    const isUnnoticed = this.#timer !== undefined && !this.#isNoticed && nowMs - this.#lastInputMs >= IDLE_MS;
    this.#lastInputMs = nowMs;
    this.#isNoticed = false;
    if (isUnnoticed) this.#onIdle();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #watch(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const nowMs = this.#nowMs();
      // A clock that was set back would put the end off by as much.
      if (this.#lastInputMs > nowMs) this.#lastInputMs = nowMs;
      const leftMs = this.#lastInputMs + IDLE_MS - nowMs;
      this.#isNoticed = leftMs <= 0;
      if (this.#isNoticed) this.#onIdle();
      this.#watch(leftMs > 0 ? leftMs : AGAIN_MS);
    }, afterMs);
  }
}
