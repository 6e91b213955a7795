import type { BlobId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { purge, purgeGrant } from '$contract/vault-keys.ts';
import { HalfkeyError } from '../errors.ts';
import { retry } from '../remote/retry.ts';
import { parseFactor } from '../account/factor.ts';
import type { Factor } from '../protocol/session.ts';
import type { OpenVault } from '../vault/open-vault.ts';

/**
 * Deletes a file for good: first the journal says so, then the broker erases, then the journal says that it is done. What a
 * purge before left behind when it was cut off goes along.
 *
 * @throws {HalfkeyError} `not_found` when the journal has no such file; `code_malformed`, `code_wrong` and its like;
 *   `store_refused` when the store keeps something, and then all else is gone
 */
export async function purgeFile(
  { vault, broker, journal }: OpenVault,
  file: string,
  factor: Factor,
): Promise<void> {
  if (!journal.state.newestVersion(file)) throw new HalfkeyError('not_found', 'the journal has no such file');
  const { id: grant } = await broker.call(purgeGrant, { factor: parseFactor(factor) }, { vault });
  await journal.append(() => [{ kind: 'purge', entry: file }]);
  // The file cannot be named again from here on: what is unreachable is tried again.
  const patience = new AbortController().signal;
  const blobs = [...journal.state.unpurged] as BlobId[];
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
