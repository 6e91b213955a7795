import { HalfkeyError, type ErrorCode } from '../../errors.ts';
import type { Holdup } from '../../protocol/transfer.ts';
import { Connection } from '../connection.ts';
import { holdupOf, type Connections } from '../holdup.ts';
import type { TransferTracker } from '../transfer-tracker.ts';
import { INSISTING, type Attempt, type Ways } from './opening.ts';

const SILENT = {
  server: 'broker_unreachable',
  store: 'store_unreachable',
  metered: 'store_unreachable',
} as const satisfies Record<Holdup['why'], ErrorCode>;

/** One download, as far as it wants something of a server. */
export interface Demand {
  /** Whether it may wait for as long as a server is silent: not with an open key, once the drive is locked. */
  readonly mayWait: () => boolean;
  /** It may not. */
  readonly giveUp: (silence: HalfkeyError) => void;
  /** Says where it stands; there is none before it is shown. */
  entry?: TransferTracker;
}

/**
 * The ways that all downloads share. While a server is silent those that want something of it wait, say when it is
 * tried again, and go on where they were. (They do not wait for a line that costs nothing: each was asked for a moment
 * ago.)
 */
export class DownloadLine {
  readonly #connections: Connections;
  /** Of each, the requests that are under way or wait. */
  readonly #requests = new Map<Demand, number>();

  constructor() {
    const options = {
      isAllowed: () => true,
      isPatient: true,
      onWaiting: () => {
        this.#tell();
      },
    };
    this.#connections = { broker: new Connection(options), store: new Connection(options) };
  }

  /** The ways of one download, until `leave`. */
  waysFor(demand: Demand): Ways {
    this.#requests.set(demand, 0);
    const by =
      (way: 'broker' | 'store'): Attempt =>
      (work, signal) => {
        if (!demand.mayWait()) return INSISTING[way](work, signal);
        this.#count(demand, 1);
        return this.#connections[way].attempt(work, signal).finally(() => {
          this.#count(demand, -1);
        });
      };
    return { broker: by('broker'), store: by('store') };
  }

  leave(demand: Demand): void {
    this.#requests.delete(demand);
  }

  /** The drive was locked: what may not wait any longer is given up. */
  locked(): void {
    this.#tell();
  }

  /** Something has changed outside: the next try is now. */
  wake(): void {
    this.#connections.broker.wake();
    this.#connections.store.wake();
  }

  #count(demand: Demand, more: number): void {
    const before = this.#requests.get(demand);
    if (before === undefined) return; // It has left.
    this.#requests.set(demand, before + more);
    this.#tell();
  }

  #tell(): void {
    const holdup = holdupOf(this.#connections);
    for (const [{ entry, mayWait, giveUp }, requests] of this.#requests) {
      if (!entry || entry.ended || entry.phase === 'paused') continue;
      if (!holdup || requests === 0) {
        if (entry.phase === 'waiting-for-network') entry.enter('downloading');
      } else if (mayWait()) entry.waitForNetwork(holdup);
      else giveUp(new HalfkeyError(SILENT[holdup.why], 'silent, and the drive is locked'));
    }
  }
}
