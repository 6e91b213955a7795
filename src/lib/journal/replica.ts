import { equalBytes, type Bytes } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import { judgeSegment, type TrustRoot } from './chain.ts';
import { applySegment, type FoldableSegment } from './state/fold.ts';
import { FoldedVault } from './state/folded-vault.ts';
import type { JournalRemote } from './ports.ts';
import { openSegment, type JournalHead, type JournalKey, type OpenedSegment } from './entries/segment.ts';
import { encodeState } from './state/state-encoding.ts';

/** What judges a vault's segments. */
export interface ReplicaTrust {
  readonly key: JournalKey;
  readonly root: TrustRoot;
}

/** This device's copy of a journal: the state up to a place, and nothing that did not authenticate. */
export class Replica {
  readonly trust: ReplicaTrust;
  readonly state: FoldedVault;
  #head: JournalHead | undefined;
  readonly #renamers = new Map<string, string | undefined>();
  /** Place of the snapshot that was found to differ from what this replica had folded itself. */
  wrongSnapshotSeq: number | undefined;

  constructor(trust: ReplicaTrust, from?: { state: FoldedVault; head: JournalHead }) {
    this.trust = trust;
    this.state = from?.state ?? new FoldedVault();
    this.#head = from?.head;
  }

  /** Undefined before the genesis. */
  get head(): JournalHead | undefined {
    return this.#head;
  }

  /** The device that gave an entry its name; undefined when that was before this replica began, or by the identity key. */
  renamerOf(entry: string): string | undefined {
    return this.#renamers.get(entry);
  }

  get nextSeq(): number {
    return this.#head === undefined ? 0 : this.#head.seq + 1;
  }

  /**
   * Folds in the segments that follow, in order.
   * @returns their places and hashes
   * @throws {HalfkeyError} as `openSegment` and `judgeSegment`; what came before the faulty one is folded in
   */
  async take(segments: readonly Bytes[]): Promise<JournalHead[]> {
    const { key, root } = this.trust;
    const first = this.nextSeq;
    // Seals open side by side; who may have written what depends on the segment before.
    const opening = segments.map((bytes, index) => settle(openSegment(key, first + index, bytes)));
    const heads: JournalHead[] = [];
    for (const promise of opening) {
      const opened = await promise;
      if ('error' in opened) throw opened.error;
      const segment = await judgeSegment(root, this.state, this.#head, opened.segment);
      await this.#compareSnapshot(segment);
      applySegment(this.state, segment);
      this.#noteRenames(segment);
      this.#head = { seq: segment.seq, hash: opened.segment.hash };
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
      const stateHash = await sha256(encodeState(this.state, this.#head));
      const isRight = equalBytes(stateHash, operation.snapshot.stateHash);
      this.wrongSnapshotSeq = isRight ? undefined : operation.snapshot.seq;
    }
  }
}

async function settle(
  promise: Promise<OpenedSegment>,
): Promise<{ segment: OpenedSegment } | { error: unknown }> {
  try {
    return { segment: await promise };
  } catch (error) {
    return { error };
  }
}

/**
 * Brings a replica up to the remote's head.
 * @param watch a place and hash to look out for
 * @returns whether anything came, and whether the watched segment was among it
 * @throws {HalfkeyError} `rollback` when the remote knows less than the replica, `fork` when it knows other, `vault_missing` when it
 *   knows nothing, `journal_gap` when it holds back what it says there is; as `take`; of the family unreachable
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
    if (wanted > 0 && segments.length === 0) {
      const message = `segment ${String(replica.nextSeq)} of ${String(head.seq)} is missing`;
      throw new HalfkeyError('journal_gap', message, { detail: { seq: replica.nextSeq } });
    }
    const taken = await replica.take(segments);
    changed ||= taken.length > 0;
    watched ||= taken.some(({ seq, hash }) => watch?.seq === seq && equalBytes(hash, watch.hash));
    if (replica.head === undefined || replica.head.seq < head.seq) continue;
    // More than the head said is fine: somebody appended in between. The head's own hash must be the chain's.
    const sameSeq = taken.find(({ seq }) => seq === head.seq) ?? replica.head;
    if (sameSeq.seq === head.seq && !equalBytes(sameSeq.hash, head.hash)) {
      throw new HalfkeyError('fork', `the remote's segment ${String(head.seq)} is another one`, {
        detail: { seq: head.seq },
      });
    }
    return { changed, watched };
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
