import type { Grant } from '$contract/accounts.ts';
import type { GrantId } from '$contract/ids.ts';
import { HalfkeyError } from '../errors.ts';
import { localExpiryMs } from './grant-clock.ts';
import { LIMITS } from '$contract/limits.ts';
import { IDLE_MS } from './idle.ts';
import type { ReleasedAhead } from '../vault/released-ahead.ts';

interface Held {
  readonly id: GrantId;
  readonly expiresAtMs: number;
  readonly releases: number;
  readonly heldAtMs: number;
  /** KMS halves that it may still make. */
  readonly halvesLeft: number;
  readonly ahead: ReleasedAhead | undefined;
}

/** A timer stands still while the computer sleeps, the clock does not: it is looked at so often. */
const LOOK_MS = 1000;

/** What a code bought, in memory only. It is over at its end, and after five minutes without input. */
export class LiveGrant {
  readonly #nowMs: () => number;
  readonly #onEnd: (ended: GrantId) => void;
  #held: Held | undefined;
  #lastInputMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onEnd the grant is over by itself: by time or by idling */
  constructor(nowMs: () => number, onEnd: (ended: GrantId) => void) {
    this.#nowMs = nowMs;
    this.#onEnd = onEnd;
  }

  /** Takes up a grant that was asked for at `sentAtMs`. @param ahead keys that it has released already: its to wipe */
  hold(grant: Grant, sentAtMs: number, ahead?: ReleasedAhead): void {
    this.#held?.ahead?.wipe();
    const nowMs = this.#nowMs();
    const expiresAtMs = localExpiryMs(grant, sentAtMs, nowMs);
    const { id, releases } = grant;
    this.#held = { id, expiresAtMs, releases, heldAtMs: nowMs, halvesLeft: LIMITS.grantGenerations, ahead };
    this.#lastInputMs = nowMs;
    this.#watch();
  }

  /** So many halves are made against it; infinitely many when the broker says that it makes no more. */
  making(count: number): void {
    const held = this.#held;
    if (held) this.#held = { ...held, halvesLeft: Math.max(0, held.halvesLeft - count) };
  }

  /** Somebody is there. What was over before they came stays over. */
  active(): void {
    if (this.current) this.#lastInputMs = this.#nowMs();
  }

  /**
   * Undefined when locked. A timer can be late, after sleep say: the clock decides, and one that was set back says
   * nothing.
   */
  get current(): Held | undefined {
    const nowMs = this.#nowMs();
    if (this.#held && (this.#endMs(this.#held) <= nowMs || nowMs < this.#held.heldAtMs)) this.#end();
    return this.#held;
  }

  /** @throws {HalfkeyError} `locked` */
  require(): GrantId {
    const held = this.current;
    if (!held) throw new HalfkeyError('locked', 'no grant is live');
    return held.id;
  }

  /** @returns what was held */
  drop(): GrantId | undefined {
    const id = this.#held?.id;
    this.#held?.ahead?.wipe();
    this.#held = undefined;
    clearTimeout(this.#timer);
    return id;
  }

  #endMs({ expiresAtMs }: Held): number {
    return Math.min(expiresAtMs, this.#lastInputMs + IDLE_MS);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const held = this.current;
    if (!held) return;
    this.#timer = setTimeout(
      () => {
        this.#watch();
      },
      Math.min(LOOK_MS, this.#endMs(held) - this.#nowMs()),
    );
  }

  #end(): void {
    const ended = this.drop();
    if (ended) this.#onEnd(ended);
  }
}
