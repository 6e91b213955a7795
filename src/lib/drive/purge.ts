import { inboxRead } from '$contract/vault-inbox.ts';
import type { BlobId, GrantId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { purge, purgeGrant } from '$contract/vault-keys.ts';
import { fromB64Url } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { retry } from '../remote/retry.ts';
import { parseFactor } from '../account/factor.ts';
import type { Operation } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { DeletedFile } from '../protocol/drive.ts';
import type { Factor } from '../protocol/session.ts';
import { listInbox } from '../vault/inbox-listing.ts';
import type { OpenVault } from '../vault/open-vault.ts';
import { filesBelow, foldersBelow } from './below.ts';

/** Where an inbox record names the epoch of its key, u32be (docs/FORMAT.md §13.1). */
const RECORD_EPOCH_OFFSET = 4;

/** What somebody has confirmed by name, on this device and just now. */
interface Confirmed {
  /** Files, and folders with all that is in them. */
  readonly entries: readonly string[];
  /** Deleted before, here or elsewhere, and not erased yet. */
  readonly also: readonly string[];
}

/**
 * Deletes files for good: first the journal says so, then the broker erases, then the journal says that it is done.
 * Nothing is erased but what was confirmed here: any device can write into the journal that a file was deleted, and
 * only hides it by that.
 *
 * @returns how many files are erased, of those that were confirmed
 * @throws {HalfkeyError} `not_found` when the journal has nothing of it; `code_malformed`, `code_wrong` and its like;
 *   `store_refused` when the store keeps something, and then all else is gone
 */
export async function purgeEntries(
  open: OpenVault,
  { entries, also }: Confirmed,
  factor: Factor,
): Promise<{ count: number }> {
  const { vault, broker, journal } = open;
  await journal.ensureAudited();
  const named = filesOf(journal.state, entries);
  if (purgeOperations(journal.state, entries).length === 0) {
    throw new HalfkeyError('not_found', 'the journal has no such file');
  }
  const { id: grant } = await broker.call(purgeGrant, { factor: parseFactor(factor) }, { vault });
  // What came into a folder meanwhile was not seen by whoever confirmed: it stays, in the top folder.
  await journal.append((state) => purgeOperations(state, entries, named));
  const patience = new AbortController().signal;
  const files = new Set([...named, ...also]);
  const hidden = journal.state.hiddenFiles().filter(({ id }) => files.has(id));
  const ofFiles = hidden.flatMap(({ blobs }) => blobs);
  await erase(open, grant, [...ofFiles, ...(await erasableKeys(open, patience))]);
  return { count: hidden.length };
}

/**
 * Deletes earlier versions of a file for good.
 * @throws {HalfkeyError} `not_found` when one is no version of the file, or the newest; as `purgeEntries`
 */
export async function purgeVersions(
  open: OpenVault,
  { file, blobs }: { readonly file: string; readonly blobs: readonly string[] },
  factor: Factor,
): Promise<void> {
  const { vault, broker, journal } = open;
  await journal.ensureAudited();
  await journal.refresh(); // Another device may have made one of them the newest.
  const [, ...earlier] = journal.state.versionsOf(file);
  if (!blobs.every((blob) => earlier.some((version) => version.blob === blob))) {
    throw new HalfkeyError('not_found', 'the file has no such earlier version');
  }
  const { id: grant } = await broker.call(purgeGrant, { factor: parseFactor(factor) }, { vault });
  await erase(open, grant, blobs);
}

/**
 * Has the broker erase, and the journal say so, batch by batch: what is unreachable is tried again.
 * @throws {HalfkeyError} `store_refused` when the store keeps something, and then all else is gone
 */
async function erase(
  { vault, broker, journal }: OpenVault,
  grant: GrantId,
  blobs: readonly string[],
): Promise<void> {
  const patience = new AbortController().signal;
  const kept = new Set<string>();
  for (let index = 0; index < blobs.length; index += LIMITS.batch) {
    const batch = blobs.slice(index, index + LIMITS.batch) as BlobId[];
    const { refused } = await retry(() => broker.call(purge, { grant, blobs: batch }, { vault }), patience);
    for (const { blob } of refused) kept.add(blob);
    const gone = batch.filter((blob) => !kept.has(blob));
    if (gone.length > 0) await journal.append(() => [{ kind: 'purged', blobs: gone }]);
  }
  if (kept.size > 0) throw new HalfkeyError('store_refused', `the store keeps ${String(kept.size)} blobs`);
}

/** Ids of the files that these are, or that are below them. */
function filesOf(state: FoldedVault, entries: readonly string[]): ReadonlySet<string> {
  const indices = entries.flatMap((id) => {
    const index = state.indexOf(id);
    if (index === undefined) return [];
    return state.entryAt(index).isFolder ? filesBelow(state, index) : [index];
  });
  return new Set(indices.map((index) => state.entries.ids[index] ?? ''));
}

/**
 * Files first, then the folders, the innermost first: a folder that is purged gives what is left in it to the top folder.
 * @param named files that may be purged; all that are there when undefined
 */
function purgeOperations(
  state: FoldedVault,
  entries: readonly string[],
  named = filesOf(state, entries),
): Operation[] {
  const files = [...named].filter((file) => state.indexOf(file) !== undefined);
  const folders = entries.flatMap((id) => {
    const index = state.indexOf(id);
    const isFolder = index !== undefined && state.entryAt(index).isFolder;
    return isFolder ? [...foldersBelow(state, index).reverse(), id] : [];
  });
  return [...files, ...new Set(folders)].map((entry) => ({ kind: 'purge', entry }));
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
