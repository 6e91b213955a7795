import type { Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { decodeOperations } from './entries/operation-codec.ts';
import { MAX_OPERATIONS, type SnapshotName } from './entries/operations.ts';
import type { JournalRemote } from './ports.ts';
import { pull, readFrom, Replica, type ReplicaTrust } from './replica.ts';
import { openSegment, type JournalHead, type JournalKey } from './entries/segment.ts';
import { loadSnapshot } from './snapshot.ts';

/** Segments between two snapshots. */
export const SNAPSHOT_INTERVAL = 256;
/** Where the newest snapshot is looked for: it is named a little after it is due. */
const TAIL_SEGMENTS = SNAPSHOT_INTERVAL + 64;
/** Beyond every head, and still a number that the broker takes (15 digits): a read from here tells the head alone. */
const BEYOND = 999_999_999_999_999;

/** A replica made from nothing, and what was found on the way. */
export interface ColdStart {
  readonly replica: Replica;
  /** Whether the log before the snapshot was taken on trust. */
  readonly fromSnapshot: boolean;
  /** `snapshot_wrong`, when one had to be dropped for the log. */
  readonly notes: readonly HalfkeyError[];
  /** What keeps the replica from the remote's head: it is good up to the segment before. */
  readonly problem: HalfkeyError | undefined;
}

/**
 * Opens a journal without a local copy: from the newest snapshot and the segments behind it, or from the whole log.
 * @throws {HalfkeyError} when not even the genesis authenticates, `vault_missing`; of the family unreachable
 */
export async function startCold(trust: ReplicaTrust, remote: JournalRemote): Promise<ColdStart> {
  const notes: HalfkeyError[] = [];
  const { head } = await readFrom(remote, BEYOND);
  if (head.seq > SNAPSHOT_INTERVAL) {
    try {
      const replica = await fromNewestSnapshot(trust, remote, head);
      if (replica) return { replica, fromSnapshot: true, notes, problem: undefined };
    } catch (error) {
      // A snapshot only saves time: whatever keeps it away, the log says all that it says.
      if (!(error instanceof HalfkeyError)) throw error;
      if (error.code === 'snapshot_wrong') notes.push(error);
    }
  }
  const replica = new Replica(trust);
  try {
    await pull(replica, remote);
  } catch (error) {
    if (!(error instanceof HalfkeyError) || error.family !== 'corrupt' || !replica.head) throw error;
    return { replica, fromSnapshot: false, notes, problem: error };
  }
  return { replica, fromSnapshot: false, notes, problem: undefined };
}

async function fromNewestSnapshot(
  trust: ReplicaTrust,
  remote: JournalRemote,
  head: JournalHead,
): Promise<Replica | undefined> {
  const tailSeq = Math.max(0, head.seq - TAIL_SEGMENTS);
  const tail: Bytes[] = [];
  while (tailSeq + tail.length <= head.seq) {
    const { segments } = await readFrom(remote, tailSeq + tail.length);
    if (segments.length === 0) return undefined;
    tail.push(...segments);
  }
  const snapshot = await findSnapshot(trust.key, tailSeq, tail);
  if (!snapshot || snapshot.seq + 1 < tailSeq) return undefined;
  const replica = new Replica(trust, await loadSnapshot(trust.key, trust.root, remote, snapshot));
  // The operation that named it is part of this tail, so its signature is checked now.
  await replica.take(tail.slice(snapshot.seq + 1 - tailSeq));
  await pull(replica, remote);
  return replica;
}

async function findSnapshot(
  key: JournalKey,
  tailSeq: number,
  tail: readonly Bytes[],
): Promise<SnapshotName | undefined> {
  for (let index = tail.length - 1; index >= 0; index--) {
    const { sequence } = await openSegment(key, tailSeq + index, tail[index] ?? new Uint8Array(0));
    const { operations } = decodeOperations(sequence, MAX_OPERATIONS);
    const named = operations.findLast((operation) => operation.kind === 'snapshot');
    if (named && named.snapshot.seq < tailSeq + index) return named.snapshot;
  }
  return undefined;
}
