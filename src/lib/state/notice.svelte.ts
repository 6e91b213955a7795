import type { ErrorCode } from '../errors.ts';
import type { Failure } from '../protocol/failure.ts';
import { WANTS_CODE } from './code-prompt.svelte.ts';
import { failureOf, isAbort } from '../platform/crypto-worker.ts';

/** What was not done: kept in sight until dismissed, until its cause has gone, or until there is something else. */
export interface Noticed {
  /** What was tried, as the start of a sentence: `“a.txt” was not opened`. */
  readonly tried: string;
  /** Why: what failed and when, or a sentence where nothing did. */
  readonly reason: { readonly failure: Failure; readonly atMs: number } | string;
  /** Whether a code is what it wants: with the next one it is over. */
  readonly wantsCode?: true;
}

const BROKER_AWAY: readonly ErrorCode[] = ['broker_unreachable', 'nonce_stale'];
/** Somebody who takes part in releasing a key, or in bringing a file, did not do their part. */
const NOT_SERVED: readonly ErrorCode[] = [
  ...BROKER_AWAY,
  'broker_failed',
  'store_unreachable',
  'kms_unreachable',
  'kms_key_unusable',
  'url_expired',
];
/** Over after a time that they mostly name. */
const WAITS: readonly ErrorCode[] = ['too_many_requests', 'code_locked'];
/** Of those that do not name it. The broker counts requests by the minute. */
const WAIT_SECONDS = 60;

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

  /** What this one said is so no longer. Another one that came since stays. */
  withdraw(noticed: Noticed): void {
    if (this.#noticed === noticed) this.dismiss();
  }

  /** The broker answers: what failed for its silence alone is not in sight any more. */
  isReached(): void {
    if (this.#hasFailed(BROKER_AWAY)) this.dismiss();
  }

  /** A file has come or gone with all that this takes: the broker, the store, and KMS's half of its key. */
  isServed(): void {
    if (this.#hasFailed(NOT_SERVED)) this.dismiss();
  }

  /** A code was accepted. */
  isOpen(): void {
    if (this.#noticed?.wantsCode || this.#hasFailed(WANTS_CODE)) this.dismiss();
  }

  /**
   * Runs an action, and notices its failure; what people call off themselves is none. Once it goes well, the failure of
   * the same one before is over.
   */
  async watch(tried: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!isAbort(error)) this.#fail(tried, failureOf(error));
      return;
    }
    if (this.#noticed?.tried === tried && this.#hasFailed()) this.dismiss();
  }

  #fail(tried: string, failure: Failure): void {
    const noticed = { tried, reason: { failure, atMs: Date.now() } };
    this.show(noticed);
    if (!WAITS.includes(failure.code)) return;
    const waitMs = (failure.detail.retryAfterSeconds ?? WAIT_SECONDS) * 1000;
    setTimeout(() => {
      this.withdraw(noticed);
    }, waitMs);
  }

  /** @param codes of the causes that count; without them, all */
  #hasFailed(codes?: readonly ErrorCode[]): boolean {
    const reason = this.#noticed?.reason;
    return typeof reason === 'object' && (codes?.includes(reason.failure.code) ?? true);
  }
}
