import { HalfkeyError } from '../errors.ts';
import { type AppendContext, appendIntent, type Intent, type SendAlong } from './append.ts';
import type { FoldedVault } from './state/folded-vault.ts';
import { compareWithLog } from './audit.ts';
import type { Operation } from './entries/operations.ts';
import type { JournalCache, JournalIdentity, JournalRemote } from './ports.ts';
import { pull, type Replica } from './replica.ts';
import type { JournalHead, SegmentSigner } from './entries/segment.ts';
import type { VoidSegment } from './chain.ts';
import { SavedCopy } from './saved-copy.ts';
import { isSnapshotDue, writeSnapshot } from './snapshot-writing.ts';
import { deriveSecrets, startJournal, type JournalSecrets, type JournalStart } from './start.ts';
import { readActivity, type Activity } from './activity.ts';
import { checkAgainstCheckpoint } from './checkpoint.ts';

/** What a journal works with. */
export interface JournalDeps {
  readonly identity: JournalIdentity;
  readonly remote: JournalRemote;
  readonly cache: JournalCache;
  readonly nowMs: () => number;
  /** A head that somebody else saw: the broker's at sign-in, or the kit's. */
  readonly expectedHead?: JournalHead;
  /** Waits before another try; a timer when absent. */
  readonly pauseMs?: (ms: number) => Promise<void>;
}

/**
 * A vault's journal on this device: what it says, and appending to it. One at a time does anything with the remote; the
 * state changes only by segments that authenticated. After a `problem` nothing is written any more.
 */
export class Journal {
  readonly #deps: JournalDeps;
  readonly #listeners = new Set<() => void>();
  readonly #notes: HalfkeyError[];
  readonly #saved: SavedCopy;
  #replica: Replica;
  #head: JournalHead;
  #problem: HalfkeyError | undefined;
  #checkpoint: JournalHead | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(deps: JournalDeps, { copy }: JournalSecrets, start: JournalStart) {
    this.#deps = deps;
    this.#replica = start.replica;
    this.#head = start.head;
    this.#notes = [...start.notes];
    this.#problem = start.problem;
    this.#checkpoint = deps.expectedHead;
    this.#saved = new SavedCopy(
      copy,
      deps.cache,
      () => ({ state: this.state, head: this.#head, needsAudit: this.needsAudit }),
      (seen) => {
        this.#checkpoint ??= seen;
      },
    );
  }

  /**
   * From this device's own copy, without the network: call `refresh` then. Without a copy, from the remote: then the
   * journal may come with a `problem`, good up to the segment before.
   *
   * @throws {HalfkeyError} `vault_missing`, and whatever is wrong with the genesis; of the family unreachable, without
   *   a copy only
   */
  static async open(deps: JournalDeps): Promise<Journal> {
    const secrets = await deriveSecrets(deps.identity);
    const start = await startJournal(secrets, deps);
    const journal = new Journal(deps, secrets, start);
    if (start.copy) {
      journal.#saved.isAt(start.head, start.copy);
      return journal;
    }
    if (!start.problem) {
      await journal.#exclusively(() => journal.#compareCheckpoint(deps.expectedHead)).catch(ignoreKnown);
    }
    journal.#saved.schedule();
    return journal;
  }

  /** Read-only for everybody else; the object is another one after an audit that found a snapshot wrong. */
  get state(): FoldedVault {
    return this.#replica.state;
  }

  /** The device that renamed an entry last, as far as that has come in since the journal was opened. */
  renamerOf(entry: string): string | undefined {
    return this.#replica.renamerOf(entry);
  }

  get head(): JournalHead {
    return this.#head;
  }

  /** What came, and counts for nothing, since the journal was opened. */
  get voided(): readonly VoidSegment[] {
    return this.#replica.voided;
  }

  /**
   * What made this journal read-only: `rollback`, `fork`, `journal_corrupt`, `journal_gap`, `vault_missing`;
   * `epoch_key_missing` until this device has the vault's new key; `device_state_lost` when what it wrote itself counts
   * for nothing.
   */
  get problem(): HalfkeyError | undefined {
    return this.#problem;
  }

  /**
   * What was found and dealt with: `snapshot_wrong` (the log was taken instead), `device_state_lost` (the local copy
   * was dropped).
   */
  get notes(): readonly HalfkeyError[] {
    return this.#notes;
  }

  /** Whether the log before a snapshot was taken on the word of the device that wrote it; `audit` settles it. */
  get needsAudit(): boolean {
    return this.#replica.needsAudit;
  }

  /** Calls the listener after each change of state, problem or notes. @returns a function that stops it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes in what others have written. A problem is looked at again, and no longer is one when the remote shows what it
   * should.
   * @returns whether the state changed
   * @throws {HalfkeyError} the problem; of the family unreachable
   */
  async refresh(): Promise<boolean> {
    return this.#exclusively(async () => {
      const checkpoint = this.#checkpoint; // Before pulling: meanwhile another tab may see more than this pull does.
      const { changed } = await pull(this.#replica, this.#deps.remote);
      await this.#compareCheckpoint(checkpoint);
      // What this device wrote counts for nothing: that does not mend itself while it runs.
      if (this.#problem?.code !== 'device_state_lost') this.#problem = undefined;
      return changed;
    });
  }

  /**
   * Compares a head that another device or the kit has seen with this journal.
   * @throws {HalfkeyError} `rollback`, `fork`, and then nothing is written any more; of the family unreachable
   */
  async compareHead(checkpoint: JournalHead): Promise<void> {
    await this.#exclusively(async () => {
      if (checkpoint.seq > this.#head.seq) await pull(this.#replica, this.#deps.remote);
      this.#checkpoint = checkpoint;
      await this.#compareCheckpoint(checkpoint);
    });
  }

  /**
   * Writes what the intent wants of the state, in segments of up to 256 operations, and folds it in. When another
   * device is faster, the intent is asked again.
   * @param along asked for each segment before it is sent by itself
   *
   * @throws {HalfkeyError} `device_untrusted`; the problem; of the family unreachable: the next `refresh` tells what
   *   became of it
   * @throws {TypeError} for an operation that is malformed or that only the identity key may sign
   */
  async append(intent: Intent, along?: SendAlong): Promise<void> {
    const { id, privateKey } = this.#deps.identity.device;
    await this.#append({ device: id, privateKey }, intent, { along });
    if (isSnapshotDue(this.#replica)) void this.#exclusively(() => this.#writeSnapshot()).catch(ignoreKnown);
  }

  /**
   * The same, signed by the identity key: devices, keyrings, and what only it may vouch for.
   * @param proof without which the broker takes none
   */
  async appendByIdentity(
    identityKey: CryptoKey,
    operations: readonly Operation[],
    proof?: string,
  ): Promise<void> {
    await this.#append({ device: undefined, privateKey: identityKey }, () => operations, { proof });
  }

  /**
   * Revokes a device, for everything that it signed from a segment on, or from now on.
   * @throws {HalfkeyError} as `append`
   */
  async revoke(
    identityKey: CryptoKey,
    { device, since }: { readonly device: string; readonly since?: number | undefined },
    proof?: string,
  ): Promise<void> {
    await this.#append(
      { device: undefined, privateKey: identityKey },
      () => [{ kind: 'device-revoke', device, since: since ?? this.#replica.nextSeq }],
      { proof },
    );
  }

  /**
   * Says what this device has seen, for the others to notice when they are shown less, and what it needs
   * (`inboxEpochNeeded`).
   */
  async heartbeat(inboxEpoch?: number): Promise<void> {
    await this.append(() => {
      const seen = this.#replica.head ?? this.#head;
      return [{ kind: 'heartbeat', ...seen, atMs: this.#deps.nowMs(), inboxEpoch }];
    });
  }

  /**
   * Folds the log, from its beginning or from what the identity key vouches for, and compares: what a snapshot left out
   * or made up comes to light, and is dropped for what the log says (`snapshot_wrong` in the notes). Reads everything;
   * for idle times.
   */
  async audit(): Promise<void> {
    await this.#exclusively(async () => {
      const outcome = await compareWithLog(this.#replica, this.#deps.remote);
      if (!outcome) return; // Somebody is writing all the time: another time.
      this.#saved.outdate(); // It says from now on that nothing is to be compared any more.
      if (outcome === 'same') {
        this.#replica.passAudit();
        return;
      }
      this.#replica.become(outcome);
      if (outcome.wrongSnapshotSeq !== undefined) return; // Noted under its place.
      this.#notes.push(
        new HalfkeyError('snapshot_wrong', 'the snapshot that this device began from differs from the log'),
      );
    });
  }

  /**
   * To be awaited before anything that cannot be undone depends on what the journal says.
   * @throws {HalfkeyError} `head_changed` while others write all the time; what is wrong with the log; of the family
   *   unreachable
   */
  async ensureAudited(): Promise<void> {
    if (this.needsAudit) await this.audit();
    if (this.needsAudit) throw new HalfkeyError('head_changed', 'the log grew while it was compared');
  }

  /**
   * What a device has done, and when the others were heard of: reads the whole log.
   * @throws {HalfkeyError} as `refresh`
   */
  async activityOf(device: string): Promise<Activity> {
    await this.refresh();
    return readActivity(this.#replica.trust, this.#deps.remote, device);
  }

  /** Resolves when everything begun has ended: only then does the head count what is being appended here. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  /** Resolves when everything begun has ended and the local copy is up to date. */
  async flush(): Promise<void> {
    await this.idle();
    await this.#saved.flush();
  }

  async #append(
    signer: SegmentSigner,
    intent: Intent,
    sending: Pick<AppendContext, 'proof' | 'along'>,
  ): Promise<void> {
    const { remote, pauseMs = pauseByTimer } = this.#deps;
    await this.#exclusively(async () => {
      if (this.#problem) throw this.#problem;
      await appendIntent({ replica: this.#replica, remote, signer, pauseMs, ...sending }, intent);
    });
  }

  async #writeSnapshot(): Promise<void> {
    if (this.#problem || this.needsAudit || !isSnapshotDue(this.#replica)) return;
    const { remote, identity, pauseMs = pauseByTimer } = this.#deps;
    const signer = { device: identity.device.id, privateKey: identity.device.privateKey };
    await writeSnapshot(this.#replica, { remote, signer, pauseMs });
  }

  async #compareCheckpoint(checkpoint: JournalHead | undefined): Promise<void> {
    if (!checkpoint) return;
    await checkAgainstCheckpoint(this.#deps.remote, this.#replica.head ?? this.#head, checkpoint);
    if (this.#checkpoint === checkpoint) this.#checkpoint = undefined; // Only what fits: a checkpoint of another history is asked again each time.
  }

  /** One after the other; what goes wrong with the chain is remembered, and all that did go well is kept. */
  async #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(async () => {
      const { head, state } = this.#replica;
      const problem = this.#problem;
      try {
        return await work();
      } catch (error) {
        if (isProblem(error)) this.#problem = error;
        throw error;
      } finally {
        this.#head = this.#replica.head ?? this.#head;
        const isSame =
          this.#replica.head === head && this.state === state && this.#problem?.code === problem?.code;
        if (!isSame) this.#changed();
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #changed(): void {
    const wrongSeq = this.#replica.wrongSnapshotSeq;
    if (wrongSeq !== undefined && !this.#notes.some(({ detail }) => detail.seq === wrongSeq)) {
      const message = `snapshot ${String(wrongSeq)} differs from what this device folded`;
      this.#notes.push(new HalfkeyError('snapshot_wrong', message, { detail: { seq: wrongSeq } }));
    }
    this.#saved.schedule();
    for (const listener of this.#listeners) listener();
  }
}

/**
 * What says that the chain is not what it should be, or that this device cannot go on with it. That it was revoked says
 * nothing of the chain.
 */
function isProblem(error: unknown): error is HalfkeyError {
  if (!(error instanceof HalfkeyError)) return false;
  if (error.code === 'epoch_key_missing') return true;
  if (error.code === 'device_state_lost') return error.detail.seq !== undefined;
  return error.family === 'corrupt' && error.code !== 'device_untrusted';
}

/** What runs beside a request and may fail by itself: the next one tries again. */
function ignoreKnown(error: unknown): undefined {
  if (!(error instanceof HalfkeyError)) throw error;
  return undefined;
}

async function pauseByTimer(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
