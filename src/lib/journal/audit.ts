import { equalBytes } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import { checkAgainstCheckpoint } from './checkpoint.ts';
import type { JournalRemote } from './ports.ts';
import { pull, Replica } from './replica.ts';
import { loadSnapshot } from './snapshot.ts';
import { encodeState } from './state/state-encoding.ts';

/**
 * Compares a replica that began with a snapshot with what the log itself says. Reads everything.
 *
 * @returns `same`; the replica that the log gives, where it differs; undefined while somebody is writing all the time
 * @throws {HalfkeyError} what is wrong with the log; of the family unreachable
 */
export async function compareWithLog(
  replica: Replica,
  remote: JournalRemote,
): Promise<'same' | Replica | undefined> {
  await pull(replica, remote);
  const fresh = await foldAnew(replica, remote);
  await pull(replica, remote);
  await pull(fresh, remote);
  const [ours, theirs] = [replica.head, fresh.head];
  if (!ours || theirs?.seq !== ours.seq) return undefined;
  await checkAgainstCheckpoint(remote, theirs, ours);
  const hashes = [encodeState(replica.state, ours), encodeState(fresh.state, theirs)].map(sha256);
  const [ourHash, theirHash] = await Promise.all(hashes);
  return ourHash && theirHash && equalBytes(ourHash, theirHash) ? 'same' : fresh;
}

/** A replica of the log that believes no snapshot but the identity key's. */
async function foldAnew({ trust, state }: Replica, remote: JournalRemote): Promise<Replica> {
  const { base } = state;
  if (base) {
    try {
      const start = await loadSnapshot(trust, remote, base.snapshot, state.epochAt(base.seq));
      const replica = new Replica(trust, { ...start, needsAudit: true });
      await pull(replica, remote);
      // Only what comes after it says who named it.
      const own = replica.state.base;
      if (
        replica.needsAudit &&
        own?.seq === base.seq &&
        equalBytes(own.snapshot.stateHash, base.snapshot.stateHash)
      ) {
        replica.passAudit();
      }
      if (!replica.needsAudit) return replica;
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.family === 'unreachable') throw error;
    }
  }
  const replica = new Replica(trust);
  await pull(replica, remote);
  return replica;
}
