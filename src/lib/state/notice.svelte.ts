import type { Failure } from '../protocol/failure.ts';
import { WANTS_CODE } from './code-prompt.svelte.ts';
import { failureOf, isAbort } from '../platform/crypto-worker.ts';

/** What was not done: kept in sight until dismissed, or until there is something else. */
export interface Noticed {
  /** What was tried, as the start of a sentence: `“a.txt” was not opened`. */
  readonly tried: string;
  /** Why: what failed and when, or a sentence where nothing did. */
  readonly reason: { readonly failure: Failure; readonly atMs: number } | string;
  /** Whether a code is what it wants: with the next one it is over. */
  readonly wantsCode?: true;
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

  /** The broker answers: what failed for its silence alone is not in sight any more. */
  isReached(): void {
    if (this.#failedFor(({ code }) => code === 'broker_unreachable')) this.dismiss();
  }

  /** A code was accepted. */
  isOpen(): void {
    if (this.#noticed?.wantsCode || this.#failedFor(({ code }) => WANTS_CODE.includes(code))) this.dismiss();
  }

  #failedFor(isCause: (failure: Failure) => boolean): boolean {
    const reason = this.#noticed?.reason;
    return typeof reason === 'object' && isCause(reason.failure);
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
