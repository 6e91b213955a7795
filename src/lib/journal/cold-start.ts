import { equalBytes, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { decodeOperations } from './entries/operation-codec.ts';
import { MAX_OPERATIONS, type SnapshotName } from './entries/operations.ts';
import { unpadded } from './entries/segment-padding.ts';
import type { JournalRemote } from './ports.ts';
import { pull, readFrom, Replica, type ReplicaTrust } from './replica.ts';
import { readSegment, type JournalHead } from './entries/segment.ts';
import type { JournalKeys } from './journal-keys.ts';
import { loadSnapshot } from './snapshot.ts';

/** Segments between two snapshots. */
export const SNAPSHOT_INTERVAL = 256;
/** Where the newest snapshot is looked for: it is named a little after it is due. */
const TAIL_SEGMENTS = SNAPSHOT_INTERVAL + 64;
/**
 * Snapshots that are tried before the log is read: anyone who was revoked may have named some that count for nothing.
 */
const MAX_TRIES = 4;
/** Beyond every head, and still a number that the broker takes (15 digits): a read from here tells the head alone. */
const BEYOND = 999_999_999_999_999;

/** A replica made from nothing, and what was found on the way. */
export interface ColdStart {
  readonly replica: Replica;
  /** `snapshot_wrong`, when one had to be dropped for the log. */
  readonly notes: readonly HalfkeyError[];
  /** What keeps the replica from the remote's head: it is good up to the segment before. */
  readonly problem: HalfkeyError | undefined;
}

/** A snapshot, and the place and epoch of the segment that names it. */
interface Candidate {
  readonly snapshot: SnapshotName;
  readonly place: number;
  readonly epoch: number;
}

/**
 * Opens a journal without a local copy: from the newest snapshot that counts and the segments after it, or from the
 * whole log.
 * @throws {HalfkeyError} when not even the genesis authenticates, `vault_missing`; of the family unreachable
 */
export async function startCold(trust: ReplicaTrust, remote: JournalRemote): Promise<ColdStart> {
  const notes: HalfkeyError[] = [];
  const { head } = await readFrom(remote, BEYOND);
  if (head.seq > SNAPSHOT_INTERVAL) {
    try {
      const replica = await fromNewestSnapshot(trust, remote, head, notes);
      if (replica) return { replica, notes, problem: undefined };
    } catch (error) {
      // A snapshot only saves time: whatever keeps it away, the log says all that it says.
      if (!(error instanceof HalfkeyError)) throw error;
    }
  }
  const replica = new Replica(trust);
  try {
    await pull(replica, remote);
  } catch (error) {
    if (!(error instanceof HalfkeyError) || !endsReading(error) || !replica.head) throw error;
    return { replica, notes, problem: error };
  }
  return { replica, notes, problem: undefined };
}

/** What the segments before the one at fault are good without. */
function endsReading({ family, code }: HalfkeyError): boolean {
  return family === 'corrupt' || code === 'epoch_key_missing';
}

async function fromNewestSnapshot(
  trust: ReplicaTrust,
  remote: JournalRemote,
  head: JournalHead,
  notes: HalfkeyError[],
): Promise<Replica | undefined> {
  const tailSeq = remote.tailSeq ?? Math.max(0, head.seq - TAIL_SEGMENTS);
  const tail: Bytes[] = [];
  while (tailSeq + tail.length <= head.seq) {
    const { segments } = await readFrom(remote, tailSeq + tail.length);
    if (segments.length === 0) return undefined;
    tail.push(...segments);
  }
  const candidates = await findSnapshots(trust.keys, tailSeq, tail);
  for (const { snapshot, place, epoch } of candidates.slice(0, MAX_TRIES)) {
    if (snapshot.seq + 1 < tailSeq) return undefined;
    try {
      const start = await loadSnapshot(trust, remote, snapshot, epoch);
      const replica = new Replica(trust, { ...start, needsAudit: true });
      await replica.take(tail.slice(snapshot.seq + 1 - tailSeq, place + 1 - tailSeq));
      const counts = isOwn(replica, snapshot);
      await replica.take(tail.slice(replica.nextSeq - tailSeq));
      await pull(replica, remote);
      // A revocation that takes it back has had all of the log folded anew.
      if (!replica.needsAudit || counts) return replica;
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'snapshot_wrong') throw error;
      notes.push(error);
    }
  }
  return undefined;
}

/** Asked right behind the segment that names it: only if that counted there does it vouch for the snapshot. */
function isOwn({ state }: Replica, { stateHash }: SnapshotName): boolean {
  return state.snapshot !== undefined && equalBytes(state.snapshot.stateHash, stateHash);
}

/** The newest first. What does not open names none: the chain goes on after it. */
async function findSnapshots(
  keys: JournalKeys,
  tailSeq: number,
  tail: readonly Bytes[],
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (let index = tail.length - 1; index >= 0; index--) {
    const place = tailSeq + index;
    const { content, epoch } = await readSegment(
      keys.vault,
      keys.of,
      place,
      tail[index] ?? new Uint8Array(0),
    );
    const sequence = content.kind === 'opened' ? unpadded(content.plaintext) : undefined;
    if (!sequence) continue;
    const { operations } = decodeOperations(sequence, MAX_OPERATIONS);
    const named = operations.findLast((operation) => operation.kind === 'snapshot');
    if (named && named.snapshot.seq < place) found.push({ snapshot: named.snapshot, place, epoch });
  }
  return found;
}
