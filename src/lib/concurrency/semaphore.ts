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
