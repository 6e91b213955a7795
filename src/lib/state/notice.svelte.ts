import type { Failure } from '../protocol/failure.ts';
import { failureOf, isAbort } from '../platform/crypto-worker.ts';

/** What was not done: kept in sight until dismissed, or until there is something else. */
export interface Noticed {
  /** What was tried, as the start of a sentence: `“a.txt” was not opened`. */
  readonly tried: string;
  /** Why: what failed and when, or a sentence where nothing did. */
  readonly reason: { readonly failure: Failure; readonly atMs: number } | string;
}

/** The latest failure that belongs to no field, dialog or transfer of its own. */
export class Notice {
  #noticed = $state.raw<Noticed | undefined>();

  get noticed(): Noticed | undefined {
    return this.#noticed;
  }

  show(noticed: Noticed): void {
    this.#noticed = noticed;
  }

  dismiss(): void {
    this.#noticed = undefined;
  }

  /** Runs an action, and notices its failure; what people call off themselves is none. */
  async watch(tried: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (isAbort(error)) return;
      this.show({ tried, reason: { failure: failureOf(error), atMs: Date.now() } });
    }
  }
}
