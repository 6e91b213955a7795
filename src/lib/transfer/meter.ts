const TICK_MS = 500;
/** Five seconds of ticks: short enough to follow a change, long enough not to flicker. */
const SAMPLES = 10;
const PATIENCE_MS = 3_000;

/** How fast a transfer is, and how long it will still take. */
export interface Pace {
  readonly bytesPerSecond?: number;
  /** Rounded; absent in the first three seconds. */
  readonly secondsLeft?: number;
}

/** Mean of the last ten half-seconds. */
export class Meter {
  readonly #samples: { atMs: number; bytes: number }[] = [];
  #startMs: number | undefined;

  /** @returns whether a tick has passed since the last sample that counted, so that it is time to report */
  sample(doneBytes: number, nowMs: number): boolean {
    this.#startMs ??= nowMs;
    const newest = this.#samples.at(-1);
    if (newest && nowMs - newest.atMs < TICK_MS) return false;
    this.#samples.push({ atMs: nowMs, bytes: doneBytes });
    if (this.#samples.length > SAMPLES + 1) this.#samples.shift();
    return true;
  }

  pace(totalBytes: number): Pace {
    const [oldest, newest] = [this.#samples[0], this.#samples.at(-1)];
    if (!oldest || !newest || newest.atMs === oldest.atMs) return {};
    const bytesPerSecond = ((newest.bytes - oldest.bytes) * 1000) / (newest.atMs - oldest.atMs);
    if (newest.atMs - (this.#startMs ?? newest.atMs) < PATIENCE_MS || bytesPerSecond <= 0)
      return { bytesPerSecond };
    return { bytesPerSecond, secondsLeft: roundedSeconds((totalBytes - newest.bytes) / bytesPerSecond) };
  }
}

/** To whole seconds below a minute, to five below ten minutes, to minutes above. */
function roundedSeconds(seconds: number): number {
  const step = seconds < 60 ? 1 : seconds < 600 ? 5 : 60;
  return Math.max(1, Math.ceil(seconds / step) * step);
}
