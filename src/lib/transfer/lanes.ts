/**
 * Does `work` for each item, at most `lanes` at a time, in the items' order of beginning. The first failure stops the rest:
 * `signal` given to `work` fires, and the failure is thrown when all lanes have come to rest.
 */
export async function inLanes<Item>(
  items: Iterable<Item>,
  lanes: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const queue = items[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  const lane = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if (either.aborted) return;
      try {
        await work(next.value, either);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  signal.throwIfAborted();
  if (failure) throw failure.error;
}

/** At most so many at a time; the others wait in the order in which they came. */
export class Semaphore {
  #places: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  /** Who is inside stays; it counts from the next one on. */
  set places(places: number) {
    this.#places = places;
    this.#admit();
  }

  get places(): number {
    return this.#places;
  }

  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#inside < this.#places) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#inside += 1;
      next();
    }
  }
}
