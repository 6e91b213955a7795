import { readSegmentHead } from '$contract/segment.ts';
import { equalBytes } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import type { JournalRemote } from './ports.ts';
import { readFrom } from './replica.ts';
import type { JournalHead } from './entries/segment.ts';

/**
 * Compares a head that somebody else saw (the broker, the printed kit, another device) with a history that
 * authenticated up to `head`. An older one is followed through the remote's segments, by their hashes alone: they are
 * anchored at `head`.
 *
 * @throws {HalfkeyError} `rollback` when the checkpoint has seen more, `fork` when it has seen other; of the family
 *   unreachable
 */
export async function checkAgainstCheckpoint(
  remote: JournalRemote,
  head: JournalHead,
  checkpoint: JournalHead,
): Promise<void> {
  if (checkpoint.seq > head.seq) {
    throw new HalfkeyError(
      'rollback',
      `segment ${String(checkpoint.seq)} was seen, the head is ${String(head.seq)}`,
      {
        detail: { seq: head.seq },
      },
    );
  }
  let seq = checkpoint.seq;
  let hash = checkpoint.hash;
  if (seq === head.seq && !equalBytes(hash, head.hash)) throw forkAt(seq);
  let isFirst = true;
  while (seq < head.seq || isFirst) {
    if (seq === head.seq) return;
    const { segments } = await readFrom(remote, isFirst ? seq : seq + 1);
    if (segments.length === 0) throw forkAt(seq);
    for (const bytes of segments) {
      const found = await sha256(bytes);
      const prevHash = readSegmentHead(bytes)?.prevHash;
      if (isFirst ? !equalBytes(found, hash) : !prevHash || !equalBytes(prevHash, hash)) throw forkAt(seq);
      if (!isFirst) seq++;
      isFirst = false;
      hash = found;
      if (seq === head.seq) break;
    }
  }
  if (!equalBytes(hash, head.hash)) throw forkAt(seq);
}

function forkAt(seq: number): HalfkeyError {
  return new HalfkeyError('fork', `two histories part at segment ${String(seq)}`, { detail: { seq } });
}
