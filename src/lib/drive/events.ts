import { eventsRead, type AccountEvent } from '$contract/accounts.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import type { StoredEventHead } from '../store/database.ts';

/**
 * Reads the broker's event log from the head that was seen last, and sees that it goes on from there.
 *
 * @param seen undefined on a device that has seen none: nothing can be compared then
 * @returns the new head; undefined for an empty log
 * @throws {HalfkeyError} `rollback` when the log is shorter than it was, `fork` when it is another one
 */
export async function followEvents(
  broker: Broker,
  seen: StoredEventHead | undefined,
): Promise<StoredEventHead | undefined> {
  if (!seen) return (await broker.call(eventsRead, { from: '0' })).head;
  let last: StoredEventHead = seen;
  for (;;) {
    // The last one again, so that its hash is compared too.
    const { events, head } = await broker.call(eventsRead, { from: String(last.seq) });
    if (!head || head.seq < last.seq) throw shorter(last.seq, head?.seq);
    last = follow(last, events);
    if (last.seq >= head.seq) return last;
    if (events.length < 2) throw shorter(head.seq, last.seq);
  }
}

function follow(last: StoredEventHead, [again, ...next]: readonly AccountEvent[]): StoredEventHead {
  if (again?.seq !== last.seq || again.hash !== last.hash) throw other(last.seq);
  let head = last;
  for (const { seq, hash, prevHash } of next) {
    if (seq !== head.seq + 1 || prevHash !== head.hash) throw other(seq);
    head = { seq, hash };
  }
  return head;
}

function shorter(expectedSeq: number, gotSeq: number | undefined): HalfkeyError {
  const got = gotSeq === undefined ? 'none' : String(gotSeq);
  return new HalfkeyError('rollback', `expected event ${String(expectedSeq)}, the log's last is ${got}`);
}

function other(seq: number): HalfkeyError {
  return new HalfkeyError('fork', 'the event log is not the one that was seen', { detail: { seq } });
}
