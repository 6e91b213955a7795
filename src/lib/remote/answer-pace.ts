/** A line on which nothing moves for so long is dead, as far as anybody can tell. */
export const STALL_MS = 60_000;
/** What a line is taken for before it was measured: 2 Mbit/s. */
const ASSUMED_BYTES_PER_MS = 256;
/** The line is shared, and does not stay as it was. */
const MARGIN = 4;
/** A body that is shorter measures the way there and back, and not the line. */
const MEASURED_FROM_BYTES = 256 * 1024;
/** 256 minutes for what takes none: anyone who is not answered by then is on no line. */
const MAX_DOUBLINGS = 8;

/** One body on its way. */
export interface AskedAnswer {
  /** Until some of it leaves, or more of it. */
  readonly stallMs: number;
  /** From when all of it has left until it is answered. */
  readonly answerMs: number;
  isAnswered(): void;
  /** One of the limits has passed. */
  isLate(): void;
}

/**
 * How long an answer to what was sent is waited for. That all has left says that it has reached the next machine: a
 * proxy that takes it in at once may send it on for minutes. So the limit grows with the size, with how slow the line
 * was found to be, and each time that it was too short: else the same part would be sent again for ever.
 */
export class AnswerPace {
  readonly #nowMs: () => number;
  #bytesPerMs: number | undefined;
  #doublings = 0;

  /** @param nowMs a clock that is never set back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Begins with a body, which leaves from now on. */
  ask(sizeBytes: number): AskedAnswer {
    const askedAtMs = this.#nowMs();
    const doublings = this.#doublings;
    const factor = 2 ** doublings;
    const onTheLineMs = (MARGIN * sizeBytes) / (this.#bytesPerMs ?? ASSUMED_BYTES_PER_MS);
    return {
      stallMs: STALL_MS * factor,
      answerMs: (STALL_MS + onTheLineMs) * factor,
      isAnswered: () => {
        if (sizeBytes < MEASURED_FROM_BYTES) return;
        this.#bytesPerMs = sizeBytes / Math.max(1, this.#nowMs() - askedAtMs);
        this.#doublings = 0;
      },
      isLate: () => {
        // Those that were under way together are late together: that is once.
        this.#doublings = Math.min(MAX_DOUBLINGS, Math.max(this.#doublings, doublings + 1));
      },
    };
  }
}
