import { eventFields, eventsRead, type AccountEvent } from '$contract/accounts.ts';
import type { AccountId } from '$contract/ids.ts';
import { lengthPrefixed, toB64Url } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import type { StoredEventHead } from '../store/database.ts';

/** Pages that are on their way at a time, once the first has said how many there are. */
const SIDE_BY_SIDE = 4;
/** Behind every event, and still a number that the broker takes (15 digits): a read from here tells the head alone. */
const BEYOND = 999_999_999_999_999;

/**
 * Reads the broker's event log from the head that was seen last, and sees that it goes on from there: each event's hash
 * is computed here, from what is told of it.
 *
 * @param seen undefined on a device that has seen none: nothing can be compared then
 * @returns the new head; undefined for an empty log
 * @throws {HalfkeyError} `rollback` when the log is shorter than it was, `fork` when it is another one
 */
export async function followEvents(
  broker: Broker,
  account: AccountId,
  seen: StoredEventHead | undefined,
): Promise<StoredEventHead | undefined> {
  const read = (from: number) => broker.call(eventsRead, { from: String(from) });
  if (!seen) return (await read(BEYOND)).head;
  // The last one again, so that its hash is compared too.
  const { events, head } = await read(seen.seq);
  if (!head || head.seq < seen.seq) throw shorter(seen.seq, head?.seq);
  let last = await follow(account, seen, events);
  const pageLength = events.length;
  while (last.seq < head.seq) {
    // A page without an event more would be asked for without end.
    if (pageLength < 2) throw shorter(head.seq, last.seq);
    const pages = Array.from({ length: SIDE_BY_SIDE }, (_, index) => last.seq + index * (pageLength - 1));
    const answers = await Promise.all(pages.filter((from) => from < head.seq).map(read));
    for (const [index, { events: page }] of answers.entries()) {
      // The one before was shorter than the first of all: it goes on from where that ended.
      if (index > 0 && page[0]?.seq !== last.seq) break;
      if (page.length < 2) throw shorter(head.seq, last.seq);
      last = await follow(account, last, page);
    }
  }
  return last;
}

async function follow(
  account: AccountId,
  last: StoredEventHead,
  [again, ...next]: readonly AccountEvent[],
): Promise<StoredEventHead> {
  if (again?.seq !== last.seq || (await hashOf(account, again)) !== last.hash) throw other(last.seq);
  let head = last;
  for (const event of next) {
    if (event.seq !== head.seq + 1 || event.prevHash !== head.hash) throw other(event.seq);
    head = { seq: event.seq, hash: await hashOf(account, event) };
  }
  return head;
}

/** What the broker says that it is does not count. */
async function hashOf(account: AccountId, event: AccountEvent): Promise<string> {
  return toB64Url(await sha256(lengthPrefixed(...eventFields(account, event))));
}

function shorter(expectedSeq: number, gotSeq: number | undefined): HalfkeyError {
  const got = gotSeq === undefined ? 'none' : String(gotSeq);
  return new HalfkeyError('rollback', `expected event ${String(expectedSeq)}, the log's last is ${got}`);
}

function other(seq: number): HalfkeyError {
  return new HalfkeyError('fork', 'the event log is not the one that was seen', { detail: { seq } });
}
