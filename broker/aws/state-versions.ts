import { ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { StateVersion, StateVersions } from '../ports/state.ts';
import { storeFault } from './vault-faults.ts';
import { eraseAll } from './vault-purger.ts';

/** Versions of the broker's own objects, with the broker's own role. */
export function createStateVersions(s3: S3Client, bucket: string): StateVersions {
  return {
    async list(prefix, from) {
      try {
        const page = await s3.send(
          new ListObjectVersionsCommand({
            Bucket: bucket,
            Prefix: prefix,
            ...(from && { KeyMarker: from.key }),
            ...(from?.versionId !== undefined && { VersionIdMarker: from.versionId }),
          }),
        );
        const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
        const versions = (page.Versions ?? []).flatMap(
          ({ Key, VersionId, IsLatest, LastModified }): StateVersion[] =>
            // What does not say when it was written is never old enough.
            Key !== undefined && VersionId !== undefined && LastModified
              ? [
                  {
                    key: Key,
                    versionId: VersionId,
                    isLatest: IsLatest ?? true,
                    modifiedMs: LastModified.getTime(),
                  },
                ]
              : [],
        );
        const goesOn = IsTruncated && NextKeyMarker !== undefined;
        return {
          versions,
          next: goesOn ? { key: NextKeyMarker, versionId: NextVersionIdMarker } : undefined,
        };
      } catch (error) {
        throw storeFault(error);
      }
    },
    async erase(versions) {
      try {
        const named = versions.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
        if (named.length === 0) return;
        const kept = await eraseAll(s3, bucket, named);
        if (kept.length > 0) throw new Error(`S3 refused ${String(kept.length)} deletions`);
      } catch (error) {
        throw storeFault(error);
      }
    },
  };
}
