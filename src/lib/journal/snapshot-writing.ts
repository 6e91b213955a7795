import { appendIntent } from './append.ts';
import { SNAPSHOT_INTERVAL } from './cold-start.ts';
import type { SegmentSigner } from './entries/segment.ts';
import type { JournalRemote } from './ports.ts';
import type { Replica } from './replica.ts';
import { sealSnapshot } from './snapshot.ts';

/** Whether so much came since the last snapshot that another one saves time, or the last one is known to be wrong. */
export function isSnapshotDue({ state, head, wrongSnapshotSeq }: Replica): boolean {
  const since = (head?.seq ?? 0) - (state.snapshot?.seq ?? 0);
  return since >= SNAPSHOT_INTERVAL || wrongSnapshotSeq !== undefined;
}

/**
 * Stores the replica's state as a snapshot and names it in the journal, unless others have named a newer one meanwhile
 * or turned the vault's key.
 * @throws {HalfkeyError} as `appendIntent`; of the family unreachable
 */
export async function writeSnapshot(
  replica: Replica,
  deps: {
    readonly remote: JournalRemote;
    readonly signer: SegmentSigner;
    readonly pauseMs: (ms: number) => Promise<void>;
  },
): Promise<void> {
  const { state, head } = replica;
  if (!head) throw new RangeError('expected a journal that has begun');
  const key = await replica.trust.keys.provenFor(state);
  const { snapshot, pages } = await sealSnapshot(key, state, head);
  await deps.remote.putPages(snapshot.seq, pages);
  await appendIntent({ replica, ...deps }, (now) =>
    (now.snapshot?.seq ?? 0) < snapshot.seq && now.epoch === key.epoch
      ? [{ kind: 'snapshot', snapshot }]
      : [],
  );
}
