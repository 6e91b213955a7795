import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { mapBounded } from '../domain/bounded.ts';
import type { UnfinishedUploads } from '../ports/vaults.ts';
import { faultName, storeFault } from './vault-faults.ts';

const PARALLEL = 8;

/** With the broker's own role, as it deletes. */
export function unfinishedUploads(s3: S3Client, Bucket: string): UnfinishedUploads {
  async function end(Key: string, UploadId: string): Promise<void> {
    try {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    } catch (error) {
      if (faultName(error) !== 'NoSuchUpload') throw error;
    }
  }

  return {
    async endBefore(beforeMs) {
      try {
        const page = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'v/' }));
        const old = (page.Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) =>
          Key !== undefined && UploadId !== undefined && Initiated && Initiated.getTime() < beforeMs
            ? [{ Key, UploadId }]
            : [],
        );
        await mapBounded(old, PARALLEL, ({ Key, UploadId }) => end(Key, UploadId));
      } catch (error) {
        throw storeFault(error);
      }
    },
  };
}
