import type { VaultId } from '$contract/ids.ts';
import type { Drive } from '../drive/view.ts';
import { staleSinceMs } from '../drive/freshness.ts';
import type { PendingChanges } from '../drive/pending-changes.ts';
import { Sync } from '../drive/sync.ts';
import { voidChanges } from '../drive/void-changes.ts';
import { HalfkeyError } from '../errors.ts';
import { InboxUse } from '../inbox/inbox-use.ts';
import { OwnInboxKeys } from '../inbox/own-keys.ts';
import type { Journal } from '../journal/journal.ts';
import type { Broker } from '../remote/broker.ts';
import type { Prover } from '../remote/session-proof.ts';
import { ownInboxKeysStore } from '../store/own-inbox-keys.ts';
import { uploadRecords } from '../store/upload-records.ts';
import { inboxEpochsOf } from '../transfer/adoption/drafts.ts';
import type { ActivatedAccount } from './activation.ts';
import { isCurrent } from './entry/joining.ts';
import type { SessionReporter } from './session-reporter.ts';

/** A device says what it has seen at most so often. */
const HEARTBEAT_MS = 24 * 60 * 60_000;

/** Reading the whole log again waits until people have what they came for. */
const AUDIT_AFTER_MS = 60_000;

export interface OpenDriveDeps {
  readonly origin: string;
  readonly prover: Prover;
  readonly broker: Broker;
  readonly nowMs: () => number;
  /** The inbox has something new. */
  readonly inbox: () => void;
  /** What trying again does not mend. */
  readonly failed: (error: unknown) => void;
  readonly reporter: Pick<SessionReporter, 'connection' | 'viewStale' | 'changesVoid'>;
  /** Whether no other tab of this profile is open. */
  readonly isOnlyTab: () => Promise<boolean>;
  /**
   * Brings the journal up to date between what is to be asked about the account before and after it, where that is due.
   */
  readonly withAccount: (refreshJournal: () => Promise<void>) => Promise<void>;
}

/** A vault while it is open here: its journal, kept up to date, the changes that wait, and its inbox. */
export class OpenDrive implements Drive {
  readonly journal: Journal;
  readonly changes: PendingChanges;
  readonly inboxUse: InboxUse;
  readonly #deps: OpenDriveDeps;
  readonly #device: string;
  readonly #sync: Sync;
  #auditing: ReturnType<typeof setTimeout> | undefined;
  /** Undefined until there was a view to judge by. */
  #isStaleTold: boolean | undefined;
  /** Segments that count for nothing, as far as they were told of. */
  #voidTold = 0;
  readonly #stopWatching: () => void;
  #isClosed = false;

  constructor({ localAccount, journal, changes, database }: ActivatedAccount, deps: OpenDriveDeps) {
    this.journal = journal;
    this.changes = changes;
    this.#device = localAccount.device.id;
    const records = uploadRecords(database);
    const own = new OwnInboxKeys(
      { ...localAccount.account, device: this.#device },
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
      idle: () => journal.idle(),
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

  /**
   * Stops listening. (The keys are not zeroed: an upload under way would seal under zeros before it hears that it is
   * over.)
   */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.#sync.stop();
    clearTimeout(this.#auditing);
  }

  async #refresh(): Promise<void> {
    if (this.#isClosed) return;
    await this.#deps.withAccount(async () => {
      await this.journal.refresh();
      this.#tellWhenStale();
    });
    await this.changes.flush();
    if (this.#isHeartbeatDue()) await this.changes.heartbeat(await this.#inboxEpochNeeded());
    if (this.journal.needsAudit) this.#auditing ??= setTimeout(() => void this.#audit(), AUDIT_AFTER_MS);
  }

  /**
   * What this device may promise of inbox keys; undefined while another tab, whose journal may be older, could break
   * it.
   */
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

  /** Once for each start, with the freshest view that there is to be had; and once that it is so no longer. */
  #tellWhenStale(): void {
    if (this.#isStaleTold === false) return;
    const lastHeardMs = staleSinceMs(this.journal.state, this.#device, this.#deps.nowMs());
    const wasTold = this.#isStaleTold ?? false;
    this.#isStaleTold = lastHeardMs !== undefined;
    if (this.#isStaleTold !== wasTold) this.#deps.reporter.viewStale(lastHeardMs);
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

  #isHeartbeatDue(): boolean {
    const { state } = this.journal;
    const lastMs = state.heartbeats.get(this.#device)?.atMs ?? Number.NEGATIVE_INFINITY;
    // In either direction: a day that was told by a clock which ran ahead must not silence this device until then.
    const isOld = Math.abs(this.#deps.nowMs() - lastMs) > HEARTBEAT_MS;
    return state.trustedDevice(this.#device) !== undefined && isOld;
  }
}
