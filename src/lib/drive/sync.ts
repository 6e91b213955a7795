import type { Head } from '$contract/accounts.ts';
import type { VaultId } from '$contract/ids.ts';
import { coalesced } from '../concurrency/coalesced.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import { askHead, readHeads } from '../remote/heads.ts';
import type { Prover } from '../remote/session-proof.ts';
import { SharedHeads } from './shared-heads.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** What keeps a journal up to date. */
export interface SyncDeps {
  readonly origin: string;
  readonly prover: Prover;
  readonly vault: VaultId;
  readonly broker: Broker;
  /** Seq of the journal's head. */
  known(): number;
  /** Asks the broker for what is new. */
  refresh(): Promise<void>;
  /** Resolves when what the journal is doing has ended: what it is told of meanwhile may be what it wrote itself. */
  idle(): Promise<void>;
  /** Whether the journal stands at this head already. */
  isCurrent(head: Head): boolean;
  /** The inbox has something new. */
  inbox(): void;
  /** Something that trying again does not mend. */
  failed(error: unknown): void;
  connection(online: boolean): void;
}

/**
 * Refreshes when the broker tells of a new head, when the network comes back, and again after failures, a little later
 * each time. The list stays what it is meanwhile.
 */
export class Sync {
  readonly #deps: SyncDeps;
  #heads: SharedHeads | undefined;
  #stopped = false;
  #retryMs = FIRST_RETRY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: SyncDeps) {
    this.#deps = deps;
    globalThis.addEventListener('online', this.#poke);
  }

  /** Brings the journal up to date, once more if a call comes while one is under way. Never rejects. */
  readonly now = coalesced(() => this.#refresh());

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    globalThis.removeEventListener('online', this.#poke);
    this.#heads?.stop();
  }

  /** Asks whether there is anything new, by a request of its own. */
  look(): void {
    void this.#heads?.ask();
  }

  readonly #poke = () => {
    void this.now();
  };

  /** @returns whether that went well */
  async #refresh(): Promise<boolean> {
    try {
      await this.#deps.refresh();
    } catch (error) {
      this.#handle(error);
      return false;
    }
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#stopped) return false;
    this.#listen();
    return true;
  }

  #handle(error: unknown): void {
    if (this.#stopped) return;
    if (!(error instanceof HalfkeyError)) {
      this.#deps.failed(error);
    } else if (error.family === 'unreachable') {
      this.#deps.connection(false);
      this.#retryLater();
    } else if (error.code === 'too_many_requests') {
      this.#retryLater();
    } else {
      this.#deps.failed(error);
    }
  }

  #listen(): void {
    const { origin, prover, vault, broker } = this.#deps;
    this.#heads ??= new SharedHeads({
      vault,
      locks: navigator.locks,
      listen: (onNews, signal) => readHeads({ origin, prover }, vault, onNews, signal),
      ask: () => askHead(broker, vault, this.#deps.known()),
      onNews: (news) => {
        this.#deps.connection(true);
        if (news.kind === 'inbox') this.#deps.inbox();
        else void this.#catchUp(news.head);
      },
      onLost: () => {
        this.#deps.connection(false);
        this.#retryLater();
      },
    });
  }

  async #catchUp(head: Head): Promise<void> {
    if (this.#deps.isCurrent(head)) return;
    await this.#deps.idle();
    if (!this.#stopped && !this.#deps.isCurrent(head)) this.#poke();
  }

  #retryLater(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#poke, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
  }
}
