import type { Head } from '../contract/accounts.ts';
import type { VaultEvent, VaultEventListener } from '../domain/vault/events.ts';

/**
 * What one stream has still to tell: the newest head, and once that the inbox was written, so that a slow reader costs
 * no memory.
 */
export class EventBuffer implements VaultEventListener {
  #head: Head | undefined;
  #inbox = false;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(first: Head) {
    this.#head = first;
  }

  ended(): boolean {
    return this.#ended;
  }

  tell(news: VaultEvent): void {
    if (news.kind === 'head') this.#head = news.head;
    else this.#inbox = true;
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** @returns undefined when there is none within so many milliseconds, or never will be */
  async next(waitMs: number): Promise<VaultEvent | undefined> {
    if (!this.#head && !this.#inbox && !this.#ended) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, waitMs));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#take();
  }

  #take(): VaultEvent | undefined {
    const head = this.#head;
    if (head) {
      this.#head = undefined;
      return { kind: 'head', head };
    }
    if (!this.#inbox) return undefined;
    this.#inbox = false;
    return { kind: 'inbox' };
  }
}
