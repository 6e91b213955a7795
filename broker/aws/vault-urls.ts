import { GetObjectCommand, PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { VaultId } from '../contract/ids.ts';
import { LIMITS, OBJECT_DISPOSITION, OBJECT_TYPE } from '../contract/limits.ts';
import type { VaultObjects } from '../ports/vaults.ts';
import type { VaultClientCache } from './vault-clients.ts';
import { storeFault } from './vault-faults.ts';
import { objectKey } from './object-paths.ts';

/**
 * The presigner moves `x-amz-*` headers into the query, where S3 ignores a checksum; this one stays a signed header.
 */
const CHECKSUM = 'x-amz-checksum-sha256';

/**
 * Anyone who has a blob's URL may open it as a page of S3's origin, and what is there is a member's to choose: it is
 * saved, and never shown or run. Signed, so that nobody can leave it out.
 */
const AS_ATTACHMENT = {
  ResponseContentType: OBJECT_TYPE,
  ResponseContentDisposition: OBJECT_DISPOSITION,
} as const;

type SigningOptions = NonNullable<Parameters<typeof getSignedUrl>[2]>;

/** Presigned URLs of five minutes, each for one key, and an upload's for one length and one checksum. */
export function vaultUrls(
  cache: VaultClientCache,
): Pick<VaultObjects, 'presignGet' | 'presignPut' | 'presignPart'> {
  const Bucket = cache.place.bucket;

  async function sign(
    vault: VaultId,
    run: (s3: S3Client, options: SigningOptions) => Promise<string>,
  ): Promise<string> {
    try {
      const { s3ForUrls } = cache.of(vault);
      // The presigner adds to the set, so each call has its own.
      return await run(s3ForUrls, {
        expiresIn: LIMITS.urlSeconds,
        unhoistableHeaders: new Set([CHECKSUM]),
      });
    } catch (error) {
      // Nothing is sent but for fresh credentials.
      throw storeFault(error);
    }
  }

  return {
    presignGet: (vault, key) =>
      sign(vault, (s3, options) =>
        // Without a Range in the signature, the client ranges freely.
        getSignedUrl(
          s3,
          new GetObjectCommand({ Bucket, Key: objectKey(vault, key), ...AS_ATTACHMENT }),
          options,
        ),
      ),
    presignPut: (vault, key, sizeBytes, sha256) =>
      sign(vault, (s3, options) =>
        getSignedUrl(
          s3,
          new PutObjectCommand({
            Bucket,
            Key: objectKey(vault, key),
            ContentLength: sizeBytes,
            ContentType: OBJECT_TYPE,
            ContentDisposition: OBJECT_DISPOSITION,
            ChecksumSHA256: sha256,
            IfNoneMatch: '*',
          }),
          // Which the presigner leaves unsigned by itself. A part has neither: the upload that it is of has them.
          { ...options, signableHeaders: new Set(['content-type', 'content-disposition']) },
        ),
      ),
    presignPart: (vault, key, uploadId, { partNumber, sizeBytes, sha256 }) =>
      sign(vault, (s3, options) =>
        getSignedUrl(
          s3,
          new UploadPartCommand({
            Bucket,
            Key: objectKey(vault, key),
            UploadId: uploadId,
            PartNumber: partNumber,
            ContentLength: sizeBytes,
            ChecksumSHA256: sha256,
          }),
          options,
        ),
      ),
  };
}
