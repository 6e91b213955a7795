import {
  DeleteObjectsCommand,
  GetObjectCommand,
  type ListObjectVersionsCommandOutput,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BrokerProblem } from '../domain/problem.ts';
import type { StateStore, StoredState } from '../ports/state.ts';
import { meansAbsent, readPresent } from './absence.ts';
import { readBody } from './read-body.ts';
import { faultStatus, storeFault } from './vault-faults.ts';
import { throughConflicts } from './write-conflicts.ts';

/** The longest is an account with all that it may hold, which is far less. */
const MAX_STATE_BYTES = 4 * 1024 * 1024;

/** The broker's own objects in S3. */
export function createStateStore(s3: S3Client, bucket: string): StateStore {
  const store: StateStore = {
    async read(key) {
      const name = { Bucket: bucket, Key: key };
      try {
        return await readPresent(s3, name, async () => {
          const { Body, ETag } = await s3.send(new GetObjectCommand(name));
          if (ETag === undefined) throw new BrokerProblem('store_unreachable');
          return { bytes: await readBody(Body, MAX_STATE_BYTES), etag: ETag };
        });
      } catch (error) {
        throw storeFault(error);
      }
    },
    async create(key, bytes, told) {
      const etag = await put(key, bytes, { IfNoneMatch: '*' });
      if (etag === undefined) return 'exists';
      told?.(etag);
      return 'created';
    },
    async replace(key, bytes, before, told) {
      const etag = await put(key, bytes, { IfMatch: before });
      if (etag === undefined) return 'changed';
      told?.(etag);
      return 'replaced';
    },
    async erase(key) {
      // The newest last: nobody who reads meanwhile is shown an older one, which would be taken for a rollback.
      await eraseVersions(key, ({ IsLatest }) => IsLatest !== true);
      await eraseVersions(key, () => true);
    },
    eraseHistory: (key) => eraseVersions(key, ({ IsLatest }) => IsLatest !== true),
  };

  /** @returns the new ETag; undefined when the condition does not hold */
  async function put(
    key: string,
    bytes: Uint8Array,
    condition: { IfNoneMatch: string } | { IfMatch: string },
  ): Promise<string | undefined> {
    const name = { Bucket: bucket, Key: key };
    try {
      const put = new PutObjectCommand({ ...name, Body: bytes, ...condition });
      const { ETag } = await throughConflicts(() => s3.send(put));
      if (ETag === undefined) throw new BrokerProblem('store_unreachable');
      return ETag;
    } catch (error) {
      // The SDK sends again when a reply is lost: then the condition fails on what this very call has written.
      if (faultStatus(error) === 412) return etagOf(key, bytes);
      // The object of an If-Match is gone.
      if ('IfMatch' in condition && (await isGone(name, error))) return undefined;
      throw storeFault(error);
    }
  }

  async function isGone(name: { Bucket: string; Key: string }, error: unknown): Promise<boolean> {
    try {
      return await meansAbsent(s3, name, error);
    } catch (fault) {
      throw storeFault(fault);
    }
  }

  /** Of the object, if it has these very bytes. */
  async function etagOf(key: string, bytes: Uint8Array): Promise<string | undefined> {
    const stored: StoredState | undefined = await store.read(key);
    return stored && Buffer.from(stored.bytes).equals(bytes) ? stored.etag : undefined;
  }

  async function eraseVersions(key: string, chosen: (version: { IsLatest?: boolean }) => boolean) {
    try {
      let KeyMarker: string | undefined;
      let VersionIdMarker: string | undefined;
      do {
        const page: ListObjectVersionsCommandOutput = await s3.send(
          new ListObjectVersionsCommand({
            Bucket: bucket,
            Prefix: key,
            ...(KeyMarker !== undefined && { KeyMarker }),
            ...(VersionIdMarker !== undefined && { VersionIdMarker }),
          }),
        );
        const versions = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].filter(
          (version) => version.Key === key && chosen(version as { IsLatest?: boolean }),
        );
        if (versions.length > 0) {
          const Objects = versions.map(({ VersionId }) => ({ Key: key, VersionId }));
          const { Errors } = await s3.send(
            new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
          );
          if (Errors?.length) throw new BrokerProblem('store_unreachable');
        }
        ({ NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page);
      } while (KeyMarker !== undefined);
    } catch (error) {
      throw storeFault(error);
    }
  }

  return store;
}
