import type { BlobId } from '$contract/ids.ts';
import { keysRelease } from '$contract/vault-keys.ts';
import { fromB64Url, type Bytes } from '../bytes.ts';
import { openEnvelope } from '../crypto/envelope.ts';
import type { OpenVault } from './open-vault.ts';
import { fromRecord } from './envelope-record.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

/** A blob and the epoch of its envelope. */
interface EnvelopeName {
  readonly blob: BlobId;
  readonly epoch: number;
}

/**
 * Opens envelopes: the KMS halves against a grant, the vault key from here.
 * @returns keys of 32 bytes by blob, the caller's to wipe; blobs without an envelope are missing
 * @throws {HalfkeyError} `locked`, `grant_spent`; `kms_half_wrong`, `envelope_corrupt`
 */
export async function releaseKeys(
  { broker, vault, vaultKey, requireGrant, releasesPerCode }: OpenVault,
  purpose: 'file' | 'inbox',
  names: readonly EnvelopeName[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Map<string, Bytes>> {
  const opened = new Map<string, Bytes>();
  const perRequest = releasesPerCode();
  for (let from = 0; from < names.length; from += perRequest) {
    const some = names.slice(from, from + perRequest);
    const request = { grant: requireGrant(), purpose, names: some };
    const { keys } = await broker.call(keysRelease, request, { vault, signal });
    for (const { blob, epoch, envelope, kmsHalf: half } of keys) {
      if (!some.some((name) => name.blob === blob && name.epoch === epoch)) continue;
      const kmsHalf = fromB64Url(half);
      using _kmsHalf = wipeAtEnd(kmsHalf);
      const binding = { purpose, vault, blob, epoch };
      opened.set(blob, await openEnvelope({ ...binding, envelope: fromRecord(envelope), kmsHalf, vaultKey }));
    }
  }
  return opened;
}
