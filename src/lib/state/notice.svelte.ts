import type { Failure } from '../worker/protocol.ts';
import { failureOf, isAbort } from './cryptoWorker.ts';

/** What just failed: kept in sight until dismissed, or until something else fails. */
export interface Noticed {
  /** What was tried, as the start of a sentence: `“a.txt” was not opened`. */
  readonly tried: string;
  readonly failure: Failure;
  readonly atMs: number;
}

/** The latest failure that belongs to no field, dialog or transfer of its own. */
export class Notice {
  #noticed = $state.raw<Noticed | undefined>();

  get noticed(): Noticed | undefined {
    return this.#noticed;
  }

  dismiss(): void {
    this.#noticed = undefined;
  }

  /** Runs an action, and notices its failure; what people call off themselves is none. */
  async watch(tried: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!isAbort(error)) this.#noticed = { tried, failure: failureOf(error), atMs: Date.now() };
    }
  }
}
