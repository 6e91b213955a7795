import type { Grant } from '$contract/accounts.ts';
import type { GrantId } from '$contract/ids.ts';
import type { ErrorCode } from '../errors.ts';
import { Idle } from './idle.ts';
import { LiveGrant } from './live-grant.ts';
import type { ReleasedAhead } from '../vault/released-ahead.ts';
import { PassphraseLock } from './passphrase-lock.ts';

/** What a lock tells the session around it, and asks of it. */
export interface GrantLockDeps {
  readonly nowMs: () => number;
  /** Whether this device asks for the passphrase at each start, and so after each lock. */
  readonly asksPassphrase: () => Promise<boolean>;
  /** Whether nothing would be lost if every key left memory now. */
  readonly mayClose: () => boolean;
  /** Lets go of every key: the passphrase is asked for from now on. */
  readonly close: () => void;
  /** Locked, perhaps for long; with the grant that was live until now. */
  readonly locked: (ended: GrantId | undefined) => void;
  /** The phase is another one. */
  readonly changed: () => void;
  /** Locked by will: nothing that is open stays open. */
  readonly onLockNow: () => void;
  /** Nobody was there for five minutes, in any tab. */
  readonly onIdle: () => void;
  /** The grant has no releases, or makes no halves, any more. */
  readonly spent: () => void;
}

/**
 * What a code opens in a signed-in session, and what closes it again: time, nobody being there, *Lock now*, the broker.
 */
export class GrantLock {
  readonly grant: LiveGrant;
  readonly #deps: GrantLockDeps;
  readonly #idle: Idle;
  readonly #passphraseLock: PassphraseLock;
  /** The grant that makes no more halves: that is said once. */
  #spent: GrantId | undefined;

  /** @param lock nobody was there: to be locked in every tab */
  constructor(deps: GrantLockDeps, lock: () => void) {
    this.#deps = deps;
    this.grant = new LiveGrant(deps.nowMs, (ended) => {
      deps.changed();
      deps.locked(ended);
    });
    this.#passphraseLock = new PassphraseLock({
      asks: deps.asksPassphrase,
      mayClose: deps.mayClose,
      close: deps.close,
    });
    this.#idle = new Idle(deps.nowMs, () => {
      deps.onIdle();
      if (this.grant.current) lock();
      else void this.#passphraseLock.begin();
    });
  }

  /** Begins to watch whether anybody is there. */
  watch(): void {
    this.#idle.begin();
  }

  /** A code was accepted: opens. @param ahead what it has released already */
  open(grant: Grant, sentAtMs: number, ahead?: ReleasedAhead): void {
    this.#passphraseLock.cancel();
    this.grant.hold(grant, sentAtMs, ahead);
  }

  /** Somebody is there. */
  active(): void {
    this.#idle.active();
    this.grant.active();
  }

  /** At once. Where a passphrase is asked for, what remains is closed as soon as nothing is lost by it. */
  lock(): void {
    const held = this.grant.drop();
    this.#deps.onLockNow();
    this.#deps.changed();
    this.#deps.locked(held);
    void this.#passphraseLock.begin();
  }

  /** What kept the session from being closed is safe now. */
  closeIfDue(): void {
    this.#passphraseLock.again();
  }

  /** Somebody has come in: nothing that was begun before is to close on them. */
  keepOpen(): void {
    this.#passphraseLock.cancel();
  }

  /** Nobody is signed in any more, or the passphrase is asked for. */
  stop(): void {
    this.grant.drop();
    this.#idle.stop();
    this.#passphraseLock.cancel();
  }

  /**
   * Hears a refusal of the broker's.
   * @param isOfMaking whether halves were to be made: a grant that makes no more may still open what there is
   */
  heed(code: ErrorCode, isOfMaking: boolean): void {
    if (code === 'grant_spent' && isOfMaking) this.#makesNoMore();
    else if (code === 'grant_spent' || code === 'grant_missing') this.#opensNoMore(code);
  }

  #makesNoMore(): void {
    const held = this.grant.current;
    this.grant.making(Number.POSITIVE_INFINITY);
    if (!held || this.#spent === held.id) return;
    this.#spent = held.id;
    this.#deps.spent();
  }

  #opensNoMore(code: 'grant_spent' | 'grant_missing'): void {
    if (!this.grant.drop()) return;
    this.#deps.changed();
    if (code === 'grant_spent') this.#deps.spent();
  }
}
