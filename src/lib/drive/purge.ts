import { inboxRead } from '$contract/vault-inbox.ts';
import type { BlobId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { purge, purgeGrant } from '$contract/vault-keys.ts';
import { fromB64Url } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { retry } from '../remote/retry.ts';
import { parseFactor } from '../account/factor.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { DeletedFile } from '../protocol/drive.ts';
import type { Factor } from '../protocol/session.ts';
import { listInbox } from '../vault/inbox-listing.ts';
import type { OpenVault } from '../vault/open-vault.ts';

/** Where an inbox record names the epoch of its key, u32be (docs/FORMAT.md §13.1). */
const RECORD_EPOCH_OFFSET = 4;

/** What somebody has confirmed by name, on this device and just now. */
interface Confirmed {
  /** In the list still. */
  readonly file: string;
  /** Deleted before, here or elsewhere, and not erased yet. */
  readonly also: readonly string[];
}

/**
 * Deletes files for good: first the journal says so, then the broker erases, then the journal says that it is done.
 * Nothing is erased but what was confirmed here: any device can write into the journal that a file was deleted, and
 * only hides it by that.
 *
 * @throws {HalfkeyError} `not_found` when the journal has no such file; `code_malformed`, `code_wrong` and its like;
 *   `store_refused` when the store keeps something, and then all else is gone
 */
export async function purgeFiles(open: OpenVault, { file, also }: Confirmed, factor: Factor): Promise<void> {
  const { vault, broker, journal } = open;
  await journal.ensureAudited();
  if (!journal.state.newestVersion(file)) throw new HalfkeyError('not_found', 'the journal has no such file');
  const { id: grant } = await broker.call(purgeGrant, { factor: parseFactor(factor) }, { vault });
  await journal.append((state) => (state.entry(file) ? [{ kind: 'purge', entry: file }] : []));
  // The file cannot be named again from here on: what is unreachable is tried again.
  const patience = new AbortController().signal;
  const files = new Set([file, ...also]);
  const ofFiles = journal.state.hiddenFiles().flatMap(({ id, blobs }) => (files.has(id) ? blobs : []));
  const blobs = [...ofFiles, ...(await erasableKeys(open, patience))] as BlobId[];
  const kept = new Set<BlobId>();
  for (let index = 0; index < blobs.length; index += LIMITS.batch) {
    const batch = blobs.slice(index, index + LIMITS.batch);
    const { refused } = await retry(() => broker.call(purge, { grant, blobs: batch }, { vault }), patience);
    for (const { blob } of refused) kept.add(blob);
    const gone = batch.filter((blob) => !kept.has(blob));
    if (gone.length > 0) await journal.append(() => [{ kind: 'purged', blobs: gone }]);
  }
  if (kept.size > 0) throw new HalfkeyError('store_refused', `the store keeps ${String(kept.size)} blobs`);
}

/** Files that some device has deleted, and whose content is on the server still. */
export function deletedFiles(state: FoldedVault, own: string): DeletedFile[] {
  return state.hiddenFiles().map(({ id, name, hiddenBy }) => {
    const device = hiddenBy === own ? undefined : (state.devices.get(hiddenBy)?.name ?? '');
    return { file: id, name, ...(device !== undefined && { device }) };
  });
}

/**
 * Inbox keys that were retired, and that nothing in the inbox is sealed to: anyone who had them retired too early must
 * not have destroyed by it what others have captured.
 */
async function erasableKeys({ vault, broker, journal }: OpenVault, signal: AbortSignal): Promise<string[]> {
  const { unpurged, inboxKeys } = journal.state;
  const retired = inboxKeys.filter(({ blob }) => unpurged.has(blob));
  if (retired.length === 0) return [];
  const names = (await listInbox({ broker, vault }, signal)).map(({ device, blob }) => ({ device, blob }));
  let oldest = Number.POSITIVE_INFINITY;
  for (let from = 0; from < names.length; from += LIMITS.batch) {
    const some = names.slice(from, from + LIMITS.batch);
    const { records } = await retry(() => broker.call(inboxRead, { names: some }, { vault }), signal);
    for (const { record } of records) oldest = Math.min(oldest, epochOf(record));
  }
  return retired.filter(({ epoch }) => epoch < oldest).map(({ blob }) => blob);
}

/** What is no record is sealed to no key. */
function epochOf(record: string): number {
  const bytes = fromB64Url(record);
  if (bytes.length < RECORD_EPOCH_OFFSET + 4) return Number.POSITIVE_INFINITY;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(RECORD_EPOCH_OFFSET);
}
