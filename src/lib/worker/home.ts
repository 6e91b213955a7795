import { sessionRead } from '$contract/account.ts';
import type { VaultId } from '$contract/ids.ts';
import { HalfkeyError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Broker } from '../remote/broker.ts';
import { readEventHead, saveEventHead } from '../store/account-record.ts';
import type { Database } from '../store/database.ts';
import { followEvents } from './events.ts';
import { isCurrent, membershipOf } from './joining.ts';
import type { Resident } from './resting.ts';
import { Sync } from './sync.ts';

/** A device says what it has seen at most so often. */
const HEARTBEAT_MS = 24 * 60 * 60_000;

/** Reading the whole log again waits until people have what they came for. */
const AUDIT_AFTER_MS = 60_000;

export interface HomeDeps {
  readonly origin: string;
  readonly broker: Broker;
  readonly database: Database;
  readonly nowMs: () => number;
  /** What trying again does not mend. */
  readonly failed: (error: unknown) => void;
  readonly connection: (online: boolean) => void;
}

/** A resident's vault while it is open here: its journal, kept up to date, and the broker, checked against what was seen before. */
export class Home {
  readonly resident: Resident;
  readonly journal: Journal;
  readonly #deps: HomeDeps;
  readonly #sync: Sync;
  #greeted = false;
  #auditing: ReturnType<typeof setTimeout> | undefined;

  constructor(resident: Resident, journal: Journal, deps: HomeDeps) {
    this.resident = resident;
    this.journal = journal;
    this.#deps = deps;
    this.#sync = new Sync({
      origin: deps.origin,
      vault: resident.account.vault as VaultId,
      refresh: () => this.#refresh(),
      isCurrent: (head) => isCurrent(journal, head),
      failed: deps.failed,
      connection: deps.connection,
    });
    void this.#sync.now();
  }

  /** Stops listening. (The keys are not zeroed: an upload under way would seal under zeros before it hears that it is over.) */
  close(): void {
    this.#sync.stop();
    clearTimeout(this.#auditing);
  }

  async #refresh(): Promise<void> {
    if (!this.#greeted) await this.#greet();
    this.#greeted = true;
    await this.journal.refresh();
    if (this.#isHeartbeatDue()) await this.journal.heartbeat();
    if (this.journal.needsAudit) this.#auditing ??= setTimeout(() => void this.#audit(), AUDIT_AFTER_MS);
  }

  /** What a snapshot was believed for at a cold start is compared with the log, once there is time. */
  async #audit(): Promise<void> {
    try {
      await this.journal.audit();
    } catch (error) {
      this.#auditing = undefined; // Tried again behind the next refresh, if it was the connection.
      if (!(error instanceof HalfkeyError) || error.family !== 'unreachable') this.#deps.failed(error);
    }
  }

  /** Sees that session, vault and event log are what this device left. */
  async #greet(): Promise<void> {
    const { broker, database } = this.#deps;
    const { account, device } = this.resident;
    const session = await broker.call(sessionRead, {});
    if (session.account !== account.account || session.device !== device.id) {
      throw new HalfkeyError('session_missing', 'the session is of another account or device');
    }
    membershipOf(session.vaults, account.vault);
    const head = await followEvents(broker, await readEventHead(database));
    if (head) await saveEventHead(database, head);
  }

  #isHeartbeatDue(): boolean {
    const { state } = this.journal;
    const { id } = this.resident.device;
    const lastMs = state.heartbeats.get(id)?.atMs ?? Number.NEGATIVE_INFINITY;
    return state.trustedDevice(id) !== undefined && this.#deps.nowMs() - lastMs > HEARTBEAT_MS;
  }
}
