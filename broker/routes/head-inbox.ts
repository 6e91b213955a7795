import type { Head } from '../contract/account.ts';
import type { HeadListener } from '../domain/heads.ts';

/** What one stream has still to tell: the newest head alone, so that a slow reader costs no memory. */
export class HeadInbox implements HeadListener {
  #untold: Head | undefined;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(first: Head) {
    this.#untold = first;
  }

  ended(): boolean {
    return this.#ended;
  }

  tell(head: Head): void {
    this.#untold = head;
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** @returns undefined when there is none within so many milliseconds, or never will be */
  async next(waitMs: number): Promise<Head | undefined> {
    if (!this.#untold && !this.#ended) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, waitMs));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const head = this.#untold;
    this.#untold = undefined;
    return head;
  }
}
