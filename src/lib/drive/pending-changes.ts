import type { Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { MAX_OPERATIONS } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { addChanges, readChanges, updateChanges } from '../store/change-records.ts';
import type { Database } from '../store/database.ts';
import { changeKey, openChange, sealChange, type Change, type ChangeKey, type Edit } from './change.ts';
import { rebase, type Rebased } from './rebase.ts';
import type { DroppedChange } from '../protocol/drive.ts';
import { LOCKS } from '../concurrency/locks.ts';

/** Edits that go into the journal together: one segment takes them, and the heartbeat that tells that they landed. */
const BATCH_EDITS = MAX_OPERATIONS - 1;

const NONE: ReadonlySet<number> = new Set();

export interface PendingDeps {
  readonly database: Database;
  readonly journal: Journal;
  /** Id of this device, whose heartbeats tell what has landed. */
  readonly device: string;
  readonly nowMs: () => number;
  /** Other tabs are to look again. */
  readonly tell: () => void;
}

interface Pending {
  readonly key: number;
  readonly change: Change;
}

/**
 * What was changed on this device and is not in the journal yet. Each change is stored in IndexedDB before it is
 * acknowledged, shows at once, and goes into the journal when the network lets it.
 *
 * Exactly once: changes go in one segment with a heartbeat of this device, whose time is their stamp, kept with them
 * before they are sent. Anyone who finds stamped changes, after a lost reply or in another tab after a crash, sees in
 * the journal whether the last heartbeat of this device has that time: then they have landed. For this, all heartbeats
 * of a device are written here, one at a time among all tabs, and never before what is stamped is settled.
 *
 * Never given up in silence: a landed batch cannot say what it left out, so what is not wanted any more is marked as
 * given up before the rest of its batch is sent, and stays here until somebody has seen that.
 */
export class PendingChanges {
  readonly #deps: PendingDeps;
  readonly #key: ChangeKey;
  readonly #lock: string;
  readonly #listeners = new Set<() => void>();
  #pending: readonly Pending[] = [];
  /** Settled by another tab: shown until this tab's journal says too what became of them. */
  #leaving: readonly Pending[] = [];
  #dropped: readonly DroppedChange[] = [];
  /** What all of it came to, at this revision of the journal. */
  #known: { readonly of: FoldedVault; readonly revision: number; readonly rebased: Rebased } | undefined;
  #turn: Promise<void> = Promise.resolve();

  private constructor(deps: PendingDeps, key: ChangeKey, vault: string) {
    this.#deps = deps;
    this.#key = key;
    this.#lock = LOCKS.changes(vault);
  }

  static async open(
    { vault, epoch, vaultKey }: { readonly vault: string; readonly epoch: number; readonly vaultKey: Bytes },
    deps: PendingDeps,
  ): Promise<PendingChanges> {
    const pending = new PendingChanges(deps, await changeKey(vault, epoch, vaultKey), vault);
    await pending.reload();
    return pending;
  }

  /** The vault as it is shown: with what is not in the journal yet. */
  get shown(): FoldedVault {
    return this.#ahead().state;
  }

  /** Files and folders that are shown other than the journal has them. */
  get touched(): ReadonlySet<string> {
    return this.#ahead().touched;
  }

  /** Files and folders about which something is not in the journal yet. */
  get pendingCount(): number {
    return new Set(this.#pending.flatMap(({ change }) => change.edits.map(({ entry }) => entry))).size;
  }

  /** What was given up, in the order in which it was made; each until it is `heard`. */
  get dropped(): readonly DroppedChange[] {
    return this.#dropped;
  }

  /** Calls the listener whenever what waits, or what was given up, is another. @returns a function that stops it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Changes files and folders, all that somebody did at once; `flush` writes it into the journal.
   * @param build tells the edits, and is told how the vault is shown
   * @throws {HalfkeyError} `device_full`; the journal's problem; what `build` throws
   */
  async edit(build: (shown: FoldedVault) => readonly Edit[]): Promise<void> {
    const { journal, database, tell } = this.#deps;
    if (journal.problem) throw journal.problem;
    await this.#inTurn(async () => {
      const edits = build(this.shown);
      if (edits.length === 0) return;
      const changes: Change[] = [];
      for (let from = 0; from < edits.length; from += BATCH_EDITS) {
        changes.push({ edits: edits.slice(from, from + BATCH_EDITS) });
      }
      const sealed = await Promise.all(changes.map((change) => sealChange(this.#key, change)));
      const keys = await addChanges(database, sealed);
      const added = changes.map((change, at) => ({ key: keys[at] ?? 0, change }));
      this.#show([...this.#pending, ...added]);
      tell();
    });
  }

  /** Looks again into the store: another tab has changed something. */
  async reload(): Promise<void> {
    await this.#inTurn(() => this.#reload());
  }

  /** Somebody has seen that these were given up. @throws {HalfkeyError} as `updateChanges` */
  async heard(keys: readonly number[]): Promise<void> {
    const dropped = new Set(this.#dropped.map(({ key }) => key));
    const heard = keys.filter((key) => dropped.has(key));
    const waiting = this.#pending.filter(({ key }) => heard.includes(key));
    await this.#rewrite(
      waiting.map(({ key, change: { edits, stamp } }) => ({
        key,
        change: { edits, ...(stamp !== undefined && { stamp }) },
      })),
      heard.filter((key) => !waiting.some((each) => each.key === key)),
    );
  }

  /**
   * Writes what waits into the journal, rebased on what others have written.
   * @throws {HalfkeyError} as `Journal.append`; what waits stays then
   */
  async flush(): Promise<void> {
    if (this.#leaving.length > 0) await this.#catchUp();
    if (this.#pending.length > 0) await this.#exclusively(() => this.#sendAll());
  }

  /**
   * What waits, and then a heartbeat.
   * @param inboxEpoch as in `Journal.heartbeat`; when undefined, what this device said last stays said
   * @throws {HalfkeyError} as `flush`
   */
  async heartbeat(inboxEpoch?: number): Promise<void> {
    await this.#exclusively(async () => {
      await this.#sendAll();
      await this.#deps.journal.heartbeat(inboxEpoch ?? this.#lastHeartbeat()?.inboxEpoch);
    });
  }

  /** @param settled keys of what this tab itself has removed or replaced */
  async #reload(settled: ReadonlySet<number> = NONE): Promise<void> {
    const pending: Pending[] = [];
    const dropped: DroppedChange[] = [];
    for (const { key, sealed } of await readChanges(this.#deps.database)) {
      const change = await this.#open(sealed);
      if (change && change.edits.length > 0) pending.push({ key, change });
      dropped.push(...droppedOf(key, change));
    }
    const here = new Set([...pending.map(({ key }) => key), ...settled]);
    const gone = this.#pending.filter(({ key }) => !here.has(key));
    this.#leaving = [...this.#leaving, ...gone];
    this.#dropped = dropped;
    this.#show(pending);
    if (gone.length > 0) void this.#catchUp();
  }

  /** @returns undefined for what does not open any more */
  async #open(sealed: Bytes): Promise<Change | undefined> {
    try {
      return await openChange(this.#key, sealed);
    } catch (error) {
      if (error instanceof HalfkeyError) return undefined;
      throw error;
    }
  }

  /** Until then the name of before would show again, and a change that began from it would pass for too late. */
  async #catchUp(): Promise<void> {
    const leaving = new Set(this.#leaving);
    try {
      await this.#deps.journal.refresh();
    } catch (error) {
      if (!(error instanceof HalfkeyError)) throw error;
      return; // The next flush tries again.
    }
    this.#leaving = this.#leaving.filter((each) => !leaving.has(each));
    this.#show(this.#pending);
  }

  /** All of it upon the journal as it is now. */
  #ahead(): Rebased {
    const { state } = this.#deps.journal;
    const known = this.#known;
    if (known?.of === state && known.revision === state.revision) return known.rebased;
    const changes = [...this.#leaving, ...this.#pending].map(({ change }) => change);
    const rebased = rebase(state, changes, this.#editor());
    this.#known = { of: state, revision: state.revision, rebased };
    return rebased;
  }

  #editor() {
    const { journal, device } = this.#deps;
    return { device, isOwn: (entry: string) => journal.renamerOf(entry) === device };
  }

  #show(pending: readonly Pending[]): void {
    this.#pending = pending;
    this.#known = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** One after the other in this tab: what is read is shown before anything else is written. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    return navigator.locks.request(this.#lock, work);
  }

  async #sendAll(): Promise<void> {
    await this.reload(); // Another tab may have sent some.
    for (;;) {
      // What is stamped was sent, perhaps, and is settled by itself: nothing else may come in between.
      const stamped = this.#pending.filter(({ change }) => change.stamp !== undefined);
      const batch = batchOf(stamped.length > 0 ? stamped : this.#pending);
      const [first] = batch;
      if (!first) return;
      if (first.change.stamp !== undefined) await this.#send(batch, first.change.stamp);
      else await this.#stamp(batch);
    }
  }

  async #stamp(batch: readonly Pending[]): Promise<void> {
    const nowMs = this.#deps.nowMs();
    const stamp = nowMs === this.#lastHeartbeat()?.atMs ? nowMs + 1 : nowMs;
    await this.#rewrite(
      batch.map(({ key, change }) => ({ key, change: { ...change, stamp } })),
      [],
    );
  }

  async #send(batch: readonly Pending[], stamp: number): Promise<void> {
    let dropped = await this.#append(batch, stamp);
    if (dropped.size > 0) {
      // Another tab of this device may have written what they begin from: nothing is given up by a view of before.
      await this.#deps.journal.refresh();
      dropped = await this.#append(batch, stamp);
    }
    if (dropped.size > 0) await this.#giveUp(batch, dropped);
    else await this.#settle(batch);
  }

  /** @returns what is not wanted any more by this tab's view; then nothing was written */
  async #append(batch: readonly Pending[], stamp: number): Promise<Rebased['dropped']> {
    const { journal, device } = this.#deps;
    const changes = batch.map(({ change }) => change);
    const { head } = journal;
    let dropped: Rebased['dropped'] = new Map();
    await journal.append((state) => {
      dropped = new Map();
      const last = state.heartbeats.get(device);
      if (last?.atMs === stamp) return []; // They are there: it was their reply that was lost.
      const rebased = rebase(state, changes, this.#editor());
      dropped = rebased.dropped;
      if (dropped.size > 0 || rebased.operations.length === 0) return [];
      const need = last?.inboxEpoch === undefined ? {} : { inboxEpoch: last.inboxEpoch };
      return [...rebased.operations, { kind: 'heartbeat', ...head, atMs: stamp, ...need }];
    });
    return dropped;
  }

  async #giveUp(batch: readonly Pending[], reasons: Rebased['dropped']): Promise<void> {
    const marked = batch.flatMap(({ key, change }) => {
      const given = change.edits.flatMap((edit) => {
        const reason = reasons.get(edit);
        return reason ? [{ edit, reason }] : [];
      });
      if (given.length === 0) return [];
      const edits = change.edits.filter((edit) => !reasons.has(edit));
      return [{ key, change: { ...change, edits, dropped: [...(change.dropped ?? []), ...given] } }];
    });
    await this.#rewrite(marked, []);
  }

  async #settle(batch: readonly Pending[]): Promise<void> {
    // A tab that starts now begins from the device's copy: it must not show the vault as it was before.
    await this.#deps.journal.flush().catch(ignoreKnown);
    const keys = new Set(batch.map(({ key }) => key));
    const told = batch.flatMap(({ key, change: { dropped } }) =>
      dropped ? [{ key, change: { edits: [], dropped } }] : [],
    );
    const untold = [...keys].filter((key) => !told.some((each) => each.key === key));
    await this.#rewrite([...told, ...this.#followers(batch)], untold);
  }

  /**
   * Later renames of what has just landed begin from the name that it got there, which may be another than was wanted.
   */
  #followers(landed: readonly Pending[]): Pending[] {
    const { state } = this.#deps.journal;
    const keys = new Set(landed.map(({ key }) => key));
    const renames = landed.flatMap(({ change }) => change.edits).filter(({ kind }) => kind === 'rename');
    const begunFrom = (edit: Edit): Edit => {
      if (edit.kind !== 'rename') return edit;
      const { entry, was } = edit;
      const isFollower = renames.some((landing) => landing.entry === entry && landing.name === was);
      return isFollower ? { ...edit, was: state.entry(entry)?.name ?? was } : edit;
    };
    return this.#pending.flatMap(({ key, change }) => {
      const edits = change.edits.map(begunFrom);
      const isOther = edits.some((edit, at) => edit !== change.edits[at]);
      return isOther && !keys.has(key) ? [{ key, change: { ...change, edits } }] : [];
    });
  }

  async #rewrite(replaced: readonly Pending[], removed: readonly number[]): Promise<void> {
    const sealed = await Promise.all(
      replaced.map(async ({ key, change }) => ({ key, sealed: await sealChange(this.#key, change) })),
    );
    await this.#inTurn(async () => {
      await updateChanges(this.#deps.database, { replaced: sealed, removed });
      await this.#reload(new Set([...removed, ...replaced.map(({ key }) => key)]));
    });
    this.#deps.tell();
  }

  #lastHeartbeat() {
    const { journal, device } = this.#deps;
    return journal.state.heartbeats.get(device);
  }
}

/** As many as one segment takes: all of it lands, or nothing does. */
function batchOf(waiting: readonly Pending[]): readonly Pending[] {
  let edits = 0;
  const end = waiting.findIndex(({ change }) => (edits += change.edits.length) > BATCH_EDITS);
  return end < 0 ? waiting : waiting.slice(0, Math.max(1, end));
}

/** @param change undefined when it does not open */
function droppedOf(key: number, change: Change | undefined): DroppedChange[] {
  if (!change) return [{ key, name: '', code: 'device_state_lost' }];
  return (change.dropped ?? []).map(({ edit: { kind, name }, reason }) => ({
    key,
    kind,
    name,
    code: reason,
  }));
}

/** Without room for the copy a tab that starts knows less for a moment, that is all. */
function ignoreKnown(error: unknown): void {
  if (!(error instanceof HalfkeyError)) throw error;
}
