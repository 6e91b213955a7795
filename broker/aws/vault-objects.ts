import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { VaultId } from '../contract/ids.ts';
import { LIMITS } from '../contract/limits.ts';
import { BrokerProblem } from '../domain/problem.ts';
import type { VaultObjects } from '../ports/vaults.ts';
import { readPresent } from './absence.ts';
import { readBody } from './read-body.ts';
import { type VaultClientCache, withVaultClients } from './vault-clients.ts';
import { faultStatus, storeFault } from './vault-faults.ts';
import { objectKey } from './object-paths.ts';
import { vaultUploads } from './vault-uploads.ts';
import { vaultUrls } from './vault-urls.ts';
import { throughConflicts } from './write-conflicts.ts';

/** Objects under `v/<vault>/` on S3, every request signed by that vault's own identity. */
export function vaultObjects(cache: VaultClientCache): VaultObjects {
  const Bucket = cache.place.bucket;

  async function send<Result>(vault: VaultId, run: (s3: S3Client) => Promise<Result>): Promise<Result> {
    try {
      return await withVaultClients(cache, vault, ({ s3 }) => run(s3));
    } catch (error) {
      throw storeFault(error);
    }
  }

  const read: VaultObjects['read'] = (vault, key) =>
    send(vault, async (s3) => {
      const name = { Bucket, Key: objectKey(vault, key) };
      return readPresent(s3, name, async () => {
        const { Body } = await s3.send(new GetObjectCommand(name));
        return readBody(Body, LIMITS.maxSegmentBytes);
      });
    });

  async function create(vault: VaultId, key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const outcome = await send(vault, (s3) => putNew(s3, Bucket, objectKey(vault, key), bytes));
    if (outcome === 'created') return 'created';
    // A reply may have been lost, and the SDK has sent the same bytes again: whose bytes are there decides.
    const there = await read(vault, key);
    return there && Buffer.compare(there, bytes) === 0 ? 'created' : 'exists';
  }

  return {
    async warm(vault) {
      await cache
        .of(vault)
        .s3.config.credentials()
        .catch(() => undefined);
    },
    read,
    create,
    describe: (vault, key) =>
      send(vault, async (s3) => {
        const name = { Bucket, Key: objectKey(vault, key) };
        return readPresent(s3, name, async () => {
          const head = await s3.send(new HeadObjectCommand({ ...name, ChecksumMode: 'ENABLED' }));
          return {
            sizeBytes: head.ContentLength ?? 0,
            sha256: head.ChecksumSHA256,
            modifiedMs: head.LastModified?.getTime() ?? 0,
          };
        });
      }),
    measure: (vault, prefix, note) =>
      send(vault, async (s3) => {
        const base = objectKey(vault, '').length;
        let sizeBytes = 0;
        let token: string | undefined;
        do {
          const page = await s3.send(
            new ListObjectsV2Command({
              Bucket,
              Prefix: objectKey(vault, prefix),
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          );
          requireListing(page);
          for (const { Key = '', Size = 0 } of page.Contents ?? []) {
            sizeBytes += Size;
            note?.({ key: Key.slice(base), sizeBytes: Size });
          }
          token = page.IsTruncated ? page.NextContinuationToken : undefined;
        } while (token !== undefined);
        return sizeBytes;
      }),
    list: (vault, prefix, after, atMost) =>
      send(vault, async (s3) => {
        const page = await s3.send(
          new ListObjectsV2Command({
            Bucket,
            Prefix: objectKey(vault, prefix),
            MaxKeys: atMost,
            ...(after === '' ? {} : { StartAfter: objectKey(vault, after) }),
          }),
        );
        requireListing(page);
        const base = objectKey(vault, '').length;
        const objects = (page.Contents ?? []).flatMap(({ Key, Size = 0, ETag = '', LastModified }) => {
          const modifiedMs = LastModified?.getTime() ?? 0;
          return Key === undefined ? [] : [{ key: Key.slice(base), sizeBytes: Size, etag: ETag, modifiedMs }];
        });
        return { objects, more: page.IsTruncated === true };
      }),
    ...vaultUrls(cache),
    ...vaultUploads(Bucket, send),
  };
}

/** The SDK takes an answer that is not a listing for an empty one; a listing always has its count. */
function requireListing({ KeyCount }: { KeyCount?: number | undefined }): void {
  if (KeyCount === undefined) throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
}

async function putNew(
  s3: S3Client,
  Bucket: string,
  Key: string,
  bytes: Uint8Array,
): Promise<'created' | 'exists'> {
  try {
    await throughConflicts(() =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body: bytes, IfNoneMatch: '*' })),
    );
    return 'created';
  } catch (error) {
    if (faultStatus(error) === 412) return 'exists';
    throw error;
  }
}
