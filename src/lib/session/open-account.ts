import { sessionRead } from '$contract/accounts.ts';
import type { AccountId, VaultId } from '$contract/ids.ts';
import { factorResetStop } from '$contract/factor-reset.ts';
import { HalfkeyError } from '../errors.ts';
import { InboxUse } from '../inbox/inbox-use.ts';
import { OwnInboxKeys } from '../inbox/own-keys.ts';
import type { Journal } from '../journal/journal.ts';
import type { Broker } from '../remote/broker.ts';
import type { Prover } from '../remote/session-proof.ts';
import type { Database } from '../store/database.ts';
import { readEventHead, saveEventHead } from '../store/event-head.ts';
import { ownInboxKeysStore } from '../store/own-inbox-keys.ts';
import { uploadRecords } from '../store/upload-records.ts';
import { inboxEpochsOf } from '../transfer/adoption/drafts.ts';
import { voidChanges } from '../drive/void-changes.ts';
import { followEvents } from '../drive/events.ts';
import { staleSinceMs } from '../drive/freshness.ts';
import { isCurrent, membershipOf } from './entry/joining.ts';
import type { ActivatedAccount } from './activation.ts';
import type { PendingChanges } from '../drive/pending-changes.ts';
import type { LocalAccount } from './device-store.ts';
import { Sync } from '../drive/sync.ts';
import type { SessionReporter } from './session-reporter.ts';

/** A device says what it has seen at most so often. */
const HEARTBEAT_MS = 24 * 60 * 60_000;

/** What the broker has to say of the account is asked for at each start, and then so often. */
const GREET_EVERY_MS = 60 * 60_000;

/** Reading the whole log again waits until people have what they came for. */
const AUDIT_AFTER_MS = 60_000;

export interface OpenAccountDeps {
  readonly origin: string;
  readonly prover: Prover;
  readonly broker: Broker;
  readonly nowMs: () => number;
  /** The inbox has something new. */
  readonly inbox: () => void;
  /** What trying again does not mend. */
  readonly failed: (error: unknown) => void;
  readonly reporter: Pick<SessionReporter, 'connection' | 'viewStale' | 'factorReset' | 'changesVoid'>;
  /** Whether no other tab of this profile is open. */
  readonly isOnlyTab: () => Promise<boolean>;
}

/** An account's vault while it is open here: its journal, kept up to date, and the broker, checked against what was seen before. */
export class OpenAccount {
  readonly localAccount: LocalAccount;
  readonly journal: Journal;
  readonly changes: PendingChanges;
  readonly database: Database;
  readonly inboxUse: InboxUse;
  readonly #deps: OpenAccountDeps;
  readonly #sync: Sync;
  readonly #greeting: ReturnType<typeof setInterval>;
  /** How often the broker was to be asked about the account, and which of these times it has answered. */
  #asked = 1;
  #answered = 0;
  #auditing: ReturnType<typeof setTimeout> | undefined;
  #wasStaleTold = false;
  /** Segments that count for nothing, as far as they were told of. */
  #voidTold = 0;
  readonly #stopWatching: () => void;
  #isClosed = false;

  constructor({ localAccount, journal, changes, database }: ActivatedAccount, deps: OpenAccountDeps) {
    this.localAccount = localAccount;
    this.journal = journal;
    this.changes = changes;
    this.database = database;
    const records = uploadRecords(database);
    const own = new OwnInboxKeys(
      { ...localAccount.account, device: localAccount.device.id },
      ownInboxKeysStore(database),
    );
    this.inboxUse = new InboxUse(journal, async () => inboxEpochsOf(await records.list()), own);
    this.#deps = deps;
    this.#sync = new Sync({
      origin: deps.origin,
      prover: deps.prover,
      vault: localAccount.account.vault as VaultId,
      broker: deps.broker,
      known: () => journal.head.seq,
      refresh: () => this.#refresh(),
      isCurrent: (head) => isCurrent(journal, head),
      inbox: deps.inbox,
      failed: deps.failed,
      connection: (online) => {
        deps.reporter.connection(online);
      },
    });
    this.#stopWatching = journal.onChange(() => {
      this.#tellVoid();
    });
    this.#greeting = setInterval(() => {
      this.lookAgain();
    }, GREET_EVERY_MS);
    void this.#sync.now();
  }

  /** Takes in what is new, and sends what waits, as soon as the broker answers. */
  sync(): void {
    void this.#sync.now();
  }

  /** Somebody has come back: asks whether anything is new. */
  look(): void {
    this.#sync.look();
  }

  /** Asks the broker anew what it has to say of the account. */
  lookAgain(): void {
    this.#asked += 1;
    this.sync();
  }

  /** @throws {HalfkeyError} of the family unreachable: the same again is fine */
  async stopFactorReset(): Promise<void> {
    await this.#deps.broker.call(factorResetStop, {});
    this.#deps.reporter.factorReset(undefined);
  }

  /** Stops listening. (The keys are not zeroed: an upload under way would seal under zeros before it hears that it is over.) */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.#sync.stop();
    clearInterval(this.#greeting);
    clearTimeout(this.#auditing);
  }

  async #refresh(): Promise<void> {
    if (this.#isClosed) return;
    const asked = this.#asked;
    const isDue = this.#answered < asked;
    if (isDue) await this.#greet();
    // Names first: what the broker has logged is for the alarm, and may be long.
    await this.journal.refresh();
    this.#tellWhenStale();
    if (isDue) await this.#followEvents();
    this.#answered = asked; // Whoever asked once more meanwhile has an answer still to come.
    await this.changes.flush();
    if (this.#isHeartbeatDue()) await this.changes.heartbeat(await this.#inboxEpochNeeded());
    if (this.journal.needsAudit) this.#auditing ??= setTimeout(() => void this.#audit(), AUDIT_AFTER_MS);
  }

  /** What this device may promise of inbox keys; undefined while another tab, whose journal may be older, could break it. */
  async #inboxEpochNeeded(): Promise<number | undefined> {
    try {
      // A tab that starts from now on begins with this copy, and seals to no older key.
      await this.journal.flush();
      return (await this.#deps.isOnlyTab()) ? await this.inboxUse.oldestNeeded() : undefined;
    } catch (error) {
      if (error instanceof HalfkeyError) return undefined; // No room for the copy.
      throw error;
    }
  }

  /** What was there when this device read the whole log is old news: it is told of what comes from then on. */
  #tellVoid(): void {
    const { voided, state } = this.journal;
    if (voided.length === this.#voidTold) return;
    this.#voidTold = voided.length;
    this.#deps.reporter.changesVoid(voidChanges(state, voided));
  }

  /** Once for each start, with the freshest view that there is to be had. */
  #tellWhenStale(): void {
    if (this.#wasStaleTold) return;
    this.#wasStaleTold = true;
    const lastHeardMs = staleSinceMs(this.journal.state, this.localAccount.device.id, this.#deps.nowMs());
    if (lastHeardMs !== undefined) this.#deps.reporter.viewStale(lastHeardMs);
  }

  /** What a snapshot was believed for at a cold start is compared with the log, once there is time. */
  async #audit(): Promise<void> {
    try {
      await this.journal.audit();
    } catch (error) {
      this.#auditing = undefined; // Tried again after the next refresh, if it was the connection.
      if (!(error instanceof HalfkeyError) || error.family !== 'unreachable') this.#deps.failed(error);
    }
  }

  /** Sees that session and vault are what this device left. */
  async #greet(): Promise<void> {
    const { broker } = this.#deps;
    const { account, device } = this.localAccount;
    const session = await broker.call(sessionRead, {});
    if (session.account !== account.account || session.device !== device.id) {
      throw new HalfkeyError('session_missing', 'the session is of another account or device');
    }
    membershipOf(session.vaults, account.vault);
    if (!this.#isClosed) this.#deps.reporter.factorReset(session.factorReset);
  }

  /** Sees that the event log goes on from what this device has seen. */
  async #followEvents(): Promise<void> {
    const account = this.localAccount.account.account as AccountId;
    const head = await followEvents(this.#deps.broker, account, await readEventHead(this.database));
    if (head) await saveEventHead(this.database, head);
  }

  #isHeartbeatDue(): boolean {
    const { state } = this.journal;
    const { id } = this.localAccount.device;
    const lastMs = state.heartbeats.get(id)?.atMs ?? Number.NEGATIVE_INFINITY;
    // In either direction: a day that was told by a clock which ran ahead must not silence this device until then.
    const isOld = Math.abs(this.#deps.nowMs() - lastMs) > HEARTBEAT_MS;
    return state.trustedDevice(id) !== undefined && isOld;
  }
}
