import type { BrowserContext, Route } from 'playwright';

/** 0 ≤ x < 1, the same sequence for the same seed (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Of single requests, while the line is up: so many are cut off before, so many after the server has acted. */
const LOST_REQUESTS = 0.03;
const LOST_REPLIES = 0.05;
const UP_MS = [300, 2500] as const;
const DOWN_MS = [100, 1500] as const;

/**
 * The line of one device, to broker and store: it goes and comes at random, and single requests or replies are lost.
 */
export class RoughLine {
  readonly #context: BrowserContext;
  readonly #origin: string;
  readonly #random: Random;
  #isUp = true;
  #isRough = true;
  #keeping: Promise<void> | undefined;
  /** What it did. */
  readonly counts = { cuts: 0, refused: 0, lostRequests: 0, lostReplies: 0, lostStoreReplies: 0 };

  private constructor(context: BrowserContext, origin: string, random: Random) {
    this.#context = context;
    this.#origin = origin;
    this.#random = random;
  }

  static async lay(context: BrowserContext, origin: string, random: Random): Promise<RoughLine> {
    const line = new RoughLine(context, origin, random);
    const isOut = (url: URL) => url.pathname.startsWith('/api/') || url.origin !== origin;
    // A page that goes away in the middle leaves requests behind that can no longer be answered.
    await context.route(isOut, (route) => line.#pass(route).catch(() => undefined));
    line.#keeping = line.#comeAndGo();
    return line;
  }

  /** From now on it holds, and everybody hears of it. */
  async mend(): Promise<void> {
    this.#isRough = false;
    await this.#keeping;
    await this.#context.unrouteAll({ behavior: 'ignoreErrors' });
    await this.#tellOnline();
  }

  async #comeAndGo(): Promise<void> {
    while (this.#isRough) {
      await this.#pause(UP_MS);
      this.#isUp = false;
      this.counts.cuts++;
      await this.#pause(DOWN_MS);
      this.#isUp = true;
      // Browsers do not always know.
      if (this.#random() < 0.5) await this.#tellOnline();
    }
    this.#isUp = true;
  }

  async #pause([leastMs, mostMs]: readonly [number, number]): Promise<void> {
    const ms = leastMs + this.#random() * (mostMs - leastMs);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  async #tellOnline(): Promise<void> {
    const workers = this.#context.pages().flatMap((page) => page.workers());
    const told = workers.map((worker) =>
      worker.evaluate(() => globalThis.dispatchEvent(new Event('online'))),
    );
    await Promise.allSettled(told);
  }

  async #pass(route: Route): Promise<void> {
    const request = route.request();
    if (!this.#isUp) {
      this.counts.refused++;
      await route.abort('internetdisconnected');
      return;
    }
    const fate = this.#random();
    if (fate < LOST_REQUESTS) {
      this.counts.lostRequests++;
      await route.abort('connectionreset');
      return;
    }
    const { pathname, origin } = new URL(request.url());
    const isStream = origin === this.#origin && pathname.endsWith('/events') && request.method() === 'GET';
    const hasBody = request.postDataBuffer() !== null;
    // What is not shown of a body cannot be sent on: the store's share of lost replies is what the browser shows.
    if (fate < LOST_REQUESTS + LOST_REPLIES && !isStream && (hasBody || request.method() === 'GET')) {
      const said = origin === this.#origin ? { origin, 'sec-fetch-site': 'same-origin' } : {};
      await route.fetch({ headers: { ...(await request.allHeaders()), ...said } });
      if (origin === this.#origin) this.counts.lostReplies++;
      else this.counts.lostStoreReplies++;
      await route.abort('connectionreset');
      return;
    }
    await route.continue();
  }
}
