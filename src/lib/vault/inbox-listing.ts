import type { VaultId } from '$contract/ids.ts';
import { inboxList, type InboxName } from '$contract/vault-inbox.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import { retry } from '../remote/retry.ts';

/** A record that waits. `tag` is another when the record is; `atMs`: when it was written, by the store's clock. */
export interface ListedRecord extends InboxName {
  readonly tag: string;
  readonly atMs: number;
}

/** Far beyond what anybody has waiting: 200 of each of 500 devices. */
const MAX_LISTED = 100_000;

/** `<device>/<blob>`, as the store orders them. */
export const nameOf = ({ device, blob }: InboxName): string => `${device}/${blob}`;

/**
 * The names of all records in the inbox, by pages to its end.
 * @throws {HalfkeyError} `broker_unreachable` for a listing that goes back, or has no end: it would be read for ever
 */
export async function listInbox(
  { broker, vault }: { readonly broker: Broker; readonly vault: VaultId },
  signal: AbortSignal,
): Promise<ListedRecord[]> {
  const listed: ListedRecord[] = [];
  for (let after = '', more = true; more;) {
    const from = after;
    const page = await retry(() => broker.call(inboxList, { after: from }, { vault, signal }), signal);
    for (const each of page.names) {
      const name = nameOf(each);
      if (name <= after) throw new HalfkeyError('broker_unreachable', 'the listing of the inbox goes back');
      after = name;
      listed.push(each);
    }
    if (listed.length > MAX_LISTED)
      throw new HalfkeyError('broker_unreachable', `expected at most ${String(MAX_LISTED)} records to wait`);
    more = page.more && page.names.length > 0;
  }
  return listed;
}
