import { equalBytes, type Bytes } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import { judgeSegment, type TrustRoot, type VoidSegment } from './chain.ts';
import { applySegment, doubtsIn, type Doubts, type FoldableSegment } from './state/fold.ts';
import { FoldedVault } from './state/folded-vault.ts';
import type { JournalKeys } from './journal-keys.ts';
import type { JournalRemote } from './ports.ts';
import { readSegment, type JournalHead, type ReadSegment } from './entries/segment.ts';
import { encodeState } from './state/state-encoding.ts';

/** What judges a vault's segments. */
export interface ReplicaTrust {
  readonly keys: JournalKeys;
  readonly root: TrustRoot;
}

/** Where a replica begins, if not with the genesis. */
interface ReplicaStart {
  readonly state: FoldedVault;
  readonly head: JournalHead;
  /** Whether that goes back to a snapshot that was not compared with the log yet. */
  readonly needsAudit: boolean;
}

/** This device's copy of a journal: the state up to a place, and nothing that did not authenticate. */
export class Replica {
  readonly trust: ReplicaTrust;
  /** Segments that count for nothing, as they came; not those of before this replica began. */
  readonly voided: VoidSegment[] = [];
  #state: FoldedVault;
  #head: JournalHead | undefined;
  #needsAudit: boolean;
  #doubts: Doubts;
  /** The next segment revokes a device for what has been folded already: `refold` goes on with these. */
  #doubtsToCome: Doubts | undefined;
  #renamers = new Map<string, string | undefined>();
  /** Place of the snapshot that was found to differ from what this replica had folded itself. */
  wrongSnapshotSeq: number | undefined;

  constructor(trust: ReplicaTrust, from?: ReplicaStart, doubts: Doubts = new Map()) {
    this.trust = trust;
    this.#state = from?.state ?? new FoldedVault();
    this.#head = from?.head;
    this.#needsAudit = from?.needsAudit ?? false;
    this.#doubts = doubts;
  }

  /** Another object after a device was revoked for what it had signed before. */
  get state(): FoldedVault {
    return this.#state;
  }

  /** Undefined before the genesis. */
  get head(): JournalHead | undefined {
    return this.#head;
  }

  /** Whether what came before a snapshot was taken on the word of the device that named it. */
  get needsAudit(): boolean {
    return this.#needsAudit;
  }

  get doubts(): Doubts {
    return this.#doubts;
  }

  /** What the log is to be folded anew with, before anything more can be taken. */
  get doubtsToCome(): Doubts | undefined {
    return this.#doubtsToCome;
  }

  /**
   * The device that gave an entry its name; undefined when that was before this replica began, or by the identity key.
   */
  renamerOf(entry: string): string | undefined {
    return this.#renamers.get(entry);
  }

  get nextSeq(): number {
    return this.#head === undefined ? 0 : this.#head.seq + 1;
  }

  /** The log was read as far as this one's snapshot, and says the same. */
  passAudit(): void {
    this.#needsAudit = false;
  }

  /** Takes over what another replica of the same journal has found. */
  become(other: Replica): void {
    this.#state = other.#state;
    this.#head = other.#head;
    this.#needsAudit = other.#needsAudit;
    this.#doubts = other.#doubts;
    this.#doubtsToCome = other.#doubtsToCome;
    this.#renamers = other.#renamers;
    this.wrongSnapshotSeq = other.wrongSnapshotSeq;
  }

  /**
   * Folds in the segments that follow, in order; stops before one that revokes a device for what has been folded:
   * `doubtsToCome`.
   * @returns their places and hashes
   * @throws {HalfkeyError} as `readSegment` and `judgeSegment`; what came before the faulty one is folded in
   */
  async take(segments: readonly Bytes[]): Promise<JournalHead[]> {
    const { keys } = this.trust;
    const first = this.nextSeq;
    // Seals open side by side, each with the key that its head names; whether that was the right one depends on the
    // segment before.
    const reading = segments.map((bytes, index) =>
      settle(readSegment(keys.vault, keys.of, first + index, bytes)),
    );
    const heads: JournalHead[] = [];
    for (const promise of reading) {
      const read = await promise;
      if ('error' in read) throw read.error;
      const { segment, voided } = await judgeSegment(this.trust, this.#state, this.#head, read.segment);
      this.#doubtsToCome = doubtsIn(this.#state, segment, this.#doubts);
      if (this.#doubtsToCome) return heads;
      await this.#compareSnapshot(segment);
      applySegment(this.#state, segment, this.#doubts);
      if (voided) this.voided.push(voided);
      this.#noteRenames(segment);
      this.#head = { seq: segment.seq, hash: read.segment.hash };
      heads.push(this.#head);
    }
    return heads;
  }

  #noteRenames({ operations, writer }: FoldableSegment): void {
    for (const operation of operations) {
      if (operation.kind === 'rename') this.#renamers.set(operation.entry, writer);
    }
  }

  /** Somebody names a snapshot of just this state: the moment at which comparing costs next to nothing. */
  async #compareSnapshot({ operations }: FoldableSegment): Promise<void> {
    for (const operation of operations) {
      if (operation.kind !== 'snapshot' || operation.snapshot.seq !== this.#head?.seq) continue;
      if (this.#isDoubted(operation.snapshot.seq)) continue;
      const stateHash = await sha256(encodeState(this.#state, this.#head));
      const isRight = equalBytes(stateHash, operation.snapshot.stateHash);
      this.wrongSnapshotSeq = isRight ? undefined : operation.snapshot.seq;
    }
  }

  /** Anyone who made a snapshot here believed a device that is revoked only later. */
  #isDoubted(seq: number): boolean {
    return [...this.#doubts].some(([device, since]) => since <= seq && this.#state.trustedDevice(device));
  }
}

async function settle(promise: Promise<ReadSegment>): Promise<{ segment: ReadSegment } | { error: unknown }> {
  try {
    return { segment: await promise };
  } catch (error) {
    return { error };
  }
}

/**
 * Folds the log anew, as if what the revoked devices signed had never counted.
 * @throws {HalfkeyError} `fork` when the remote shows another log than the replica has folded; as `take`; of the family
 *   unreachable. The replica is then as it was
 */
async function refold(replica: Replica, remote: JournalRemote, doubts: Doubts): Promise<void> {
  const known = replica.head;
  let fresh = new Replica(replica.trust, undefined, doubts);
  while (known && (fresh.head?.seq ?? -1) < known.seq) {
    const { segments } = await readFrom(remote, fresh.nextSeq);
    const missing = known.seq - (fresh.head?.seq ?? -1);
    const taken = await fresh.take(segments.slice(0, missing));
    const more = fresh.doubtsToCome;
    if (more) fresh = new Replica(replica.trust, undefined, more);
    else if (taken.length === 0) throw gap(fresh.nextSeq, known.seq);
  }
  if (known && fresh.head && !equalBytes(fresh.head.hash, known.hash)) throw forkAt(known.seq);
  replica.become(fresh);
}

/**
 * Brings a replica up to the remote's head.
 * @param watch a place and hash to look out for
 * @returns whether anything came, and whether the watched segment was among it
 * @throws {HalfkeyError} `rollback` when the remote knows less than the replica, `fork` when it knows other,
 *   `vault_missing` when it knows nothing, `journal_gap` when it holds back what it says there is; as `take`; of the
 *   family unreachable
 */
export async function pull(
  replica: Replica,
  remote: JournalRemote,
  watch?: JournalHead,
): Promise<{ changed: boolean; watched: boolean }> {
  let changed = false;
  let watched = false;
  for (;;) {
    const { head, segments } = await readFrom(remote, replica.nextSeq);
    const known = replica.head;
    if (known !== undefined && head.seq < known.seq) {
      throw new HalfkeyError(
        'rollback',
        `the head went back from ${String(known.seq)} to ${String(head.seq)}`,
        {
          detail: { seq: head.seq },
        },
      );
    }
    const wanted = head.seq - (known?.seq ?? -1);
    if (wanted > 0 && segments.length === 0) throw gap(replica.nextSeq, head.seq);
    const taken = await replica.take(segments);
    changed ||= taken.length > 0;
    watched ||= taken.some(({ seq, hash }) => watch?.seq === seq && equalBytes(hash, watch.hash));
    if (replica.doubtsToCome) {
      await refold(replica, remote, replica.doubtsToCome);
      continue;
    }
    if (replica.head === undefined || replica.head.seq < head.seq) continue;
    // More than the head said is fine: somebody appended in between. The head's own hash must be the chain's.
    const sameSeq = taken.find(({ seq }) => seq === head.seq) ?? replica.head;
    if (sameSeq.seq === head.seq && !equalBytes(sameSeq.hash, head.hash)) throw forkAt(head.seq);
    return { changed, watched };
  }
}

function gap(seq: number, headSeq: number): HalfkeyError {
  const message = `segment ${String(seq)} of ${String(headSeq)} is missing`;
  return new HalfkeyError('journal_gap', message, { detail: { seq } });
}

function forkAt(seq: number): HalfkeyError {
  return new HalfkeyError('fork', `the remote's segment ${String(seq)} is another one`, { detail: { seq } });
}

/**
 * Calls back with each segment of the log, in order, and the state before it, as they stood when it came: whatever was
 * revoked later for what it had signed before is believed here.
 */
export async function walk(
  trust: ReplicaTrust,
  remote: JournalRemote,
  seen: (segment: FoldableSegment, before: FoldedVault) => void,
): Promise<void> {
  const state = new FoldedVault();
  let head: JournalHead | undefined;
  for (;;) {
    const nextSeq: number = head === undefined ? 0 : head.seq + 1;
    const { head: last, segments } = await readFrom(remote, nextSeq);
    for (const [index, bytes] of segments.entries()) {
      const read = await readSegment(trust.keys.vault, trust.keys.of, nextSeq + index, bytes);
      const { segment } = await judgeSegment(trust, state, head, read);
      seen(segment, state);
      applySegment(state, segment);
      head = { seq: read.seq, hash: read.hash };
    }
    if (head && head.seq >= last.seq) return;
    if (segments.length === 0) throw gap(nextSeq, last.seq);
  }
}

/** One read. A vault that this device has keys of has a genesis: that there is none is never believed. */
export async function readFrom(
  remote: JournalRemote,
  fromSeq: number,
): Promise<{ head: JournalHead; segments: Bytes[] }> {
  let answer;
  try {
    answer = await remote.read(fromSeq);
  } catch (error) {
    if (!(error instanceof HalfkeyError) || error.code !== 'not_found') throw error;
    throw new HalfkeyError('vault_missing', 'the remote has no journal of this vault', { cause: error });
  }
  if (answer.head.seq < 0 || (fromSeq === 0 && answer.segments.length === 0)) {
    throw new HalfkeyError('vault_missing', 'the journal of this vault is empty');
  }
  return answer;
}
