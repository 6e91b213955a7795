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
import { faultName, faultStatus, storeFault } from './vault-faults.ts';

/** S3's own advice for 409 ConditionalRequestConflict: send it again. */
const MAX_CONFLICTS = 8;
/** For a whole read: the client's own limit ends at the headers, and a body that stops half-way would hold up its key for ever. */
const READ_MS = 20_000;

/** The broker's own objects in S3. */
export function createStateStore(s3: S3Client, bucket: string): StateStore {
  const store: StateStore = {
    async read(key) {
      try {
        const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
          abortSignal: AbortSignal.timeout(READ_MS),
        });
        if (!Body || ETag === undefined) throw new BrokerProblem('store_unreachable');
        return { bytes: await Body.transformToByteArray(), etag: ETag };
      } catch (error) {
        if (faultName(error) === 'NoSuchKey') return undefined;
        throw storeFault(error);
      }
    },
    create: async (key, bytes) =>
      (await put(key, bytes, { IfNoneMatch: '*' })) === 'written' ? 'created' : 'exists',
    replace: async (key, bytes, etag) =>
      (await put(key, bytes, { IfMatch: etag })) === 'written' ? 'replaced' : 'changed',
    erase: (key) => eraseVersions(key, () => true),
    eraseHistory: (key) => eraseVersions(key, ({ IsLatest }) => IsLatest !== true),
  };

  async function put(
    key: string,
    bytes: Uint8Array,
    condition: { IfNoneMatch: string } | { IfMatch: string },
  ): Promise<'written' | 'refused'> {
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ...condition }));
        return 'written';
      } catch (error) {
        const status = faultStatus(error);
        // The SDK sends again when a reply is lost: then the condition fails on what this very call has written.
        if (status === 412) return (await isStored(key, bytes)) ? 'written' : 'refused';
        // The object of an If-Match is gone.
        if (status === 404 && faultName(error) === 'NoSuchKey') return 'refused';
        if (status !== 409 || conflicts === MAX_CONFLICTS) throw storeFault(error);
      }
    }
  }

  async function isStored(key: string, bytes: Uint8Array): Promise<boolean> {
    const stored: StoredState | undefined = await store.read(key);
    return stored !== undefined && Buffer.from(stored.bytes).equals(bytes);
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
