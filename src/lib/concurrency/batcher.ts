/** How one request of a batch ended. */
export type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nothing was said of it: it goes first in the next batch. */
  | { readonly kind: 'again' };

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The longest that a batch waits for what is coming. */
const PATIENCE_MS = 1500;

interface BatcherOptions<Item, Result> {
  /** The most that one batch may have. */
  readonly limit: number;
  /** Whether `item` may go in the batch of `first`; any may, when absent. */
  readonly goesWith?: (first: Item, item: Item) => boolean;
  /**
   * Whether more will be asked for in a moment: a batch waits for it then, until it is full. Nothing is waited for when
   * absent.
   */
  readonly isMoreComing?: (() => boolean) | undefined;
  /**
   * Does a whole batch. What it throws is the failure of all.
   * @returns one outcome for each, in their order; not `again` for all
   */
  readonly serve: (batch: readonly Item[]) => Promise<readonly Outcome<Result>[]>;
}

/**
 * Serves many requests by one round trip: what is asked for in the same turn, or while a batch is under way, goes
 * together.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #isBusy = false;
  /** Ends the wait for what is coming. */
  #goOn: () => void = () => undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** Settles as `serve` says of this one. */
  ask(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isBusy) void this.#work();
      if (!this.#isWorthWaiting()) this.#goOn();
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    await Promise.resolve(); // The rest of this turn may ask, too.
    while (this.#waiting.length > 0) {
      await this.#gather();
      await this.#serve(this.#nextBatch());
    }
    this.#isBusy = false;
  }

  #isWorthWaiting(): boolean {
    const { isMoreComing, limit } = this.#options;
    return this.#waiting.length < limit && isMoreComing?.() === true;
  }

  async #gather(): Promise<void> {
    if (!this.#isWorthWaiting()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      this.#goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#goOn = () => undefined;
  }

  #nextBatch(): Waiting<Item, Result>[] {
    const { limit, goesWith } = this.#options;
    const [first] = this.#waiting;
    if (!first) return [];
    const fitting = this.#waiting.filter(({ item }) => goesWith?.(first.item, item) ?? true);
    const batch = new Set(fitting.slice(0, limit));
    this.#waiting = this.#waiting.filter((each) => !batch.has(each));
    return [...batch];
  }

  async #serve(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const again: Waiting<Item, Result>[] = [];
    try {
      const outcomes = await this.#options.serve(batch.map(({ item }) => item));
      for (const [index, waiting] of batch.entries()) {
        const outcome = outcomes[index];
        if (!outcome) throw new TypeError('expected an outcome for each of a batch');
        if (outcome.kind === 'done') waiting.resolve(outcome.result);
        else if (outcome.kind === 'failed') waiting.reject(outcome.error);
        else again.push(waiting);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    this.#waiting.unshift(...again);
  }
}
