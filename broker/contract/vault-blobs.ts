import * as v from 'valibot';
import { BlobId, Count, GrantId, s3Name, Sha256B64 } from './ids.ts';
import { LIMITS } from './limits.ts';
import { batchOf, eachOf, Empty, route } from './route.ts';

/** As the broker signs it. */
export const Url = v.pipe(v.string(), v.url(), v.maxLength(8192));
const BlobSize = v.pipe(Count, v.minValue(1), v.maxValue(LIMITS.maxBlobBytes));
const PartSize = v.pipe(Count, v.minValue(1), v.maxValue(LIMITS.maxPartBytes));
const PartNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIMITS.parts));
const UploadId = s3Name(1024);
const ETag = s3Name(128);
const PageName = v.strictObject({ seq: Count, page: BlobId });

/**
 * A URL for a blob that goes up in one PUT. Signed headers: content-length, content-type (OBJECT_TYPE),
 * content-disposition (`attachment`), if-none-match, x-amz-checksum-sha256. `store_full`; without a live grant also
 * `grant_missing`, where the device has a quarter of the quota on its way.
 */
export const blobPutUrls = route({
  method: 'POST',
  path: '/api/vaults/:vault/blobs/put',
  stage: 'full',
  request: v.strictObject({
    blobs: batchOf(v.strictObject({ blob: BlobId, sizeBytes: BlobSize, sha256: Sha256B64 })),
    grant: v.optional(GrantId),
  }),
  answer: v.object({ urls: v.array(v.object({ blob: BlobId, url: Url })) }),
});

/**
 * URLs without a Range in the signature: the client ranges freely. No grant: it is ciphertext. Opened as a page, the
 * answer is an attachment of OBJECT_TYPE.
 */
export const blobGetUrls = route({
  method: 'POST',
  path: '/api/vaults/:vault/blobs/get',
  stage: 'full',
  request: v.strictObject({ blobs: batchOf(BlobId) }),
  answer: v.object({ urls: eachOf(v.object({ blob: BlobId, url: Url })) }),
});

/**
 * Starts a multipart upload of a blob of `sizeBytes` sealed bytes, in a first part of `firstPartBytes` and then parts
 * of `partBytes`, the last with the rest; in one part, where they are missing. `store_full`, `grant_missing` as for one
 * PUT.
 */
export const uploadCreate = route({
  method: 'POST',
  path: '/api/vaults/:vault/uploads/create',
  stage: 'full',
  request: v.strictObject({
    blob: BlobId,
    sizeBytes: BlobSize,
    firstPartBytes: v.optional(PartSize),
    partBytes: v.optional(PartSize),
    grant: v.optional(GrantId),
  }),
  answer: v.object({ uploadId: UploadId }),
});

/**
 * Signed headers: content-length, x-amz-checksum-sha256. `upload_lost`; `upload_mismatch` for a part that was not
 * announced so.
 */
export const uploadPartUrls = route({
  method: 'POST',
  path: '/api/vaults/:vault/uploads/parts',
  stage: 'full',
  request: v.strictObject({
    blob: BlobId,
    uploadId: UploadId,
    parts: batchOf(v.strictObject({ partNumber: PartNumber, sizeBytes: PartSize, sha256: Sha256B64 })),
  }),
  answer: v.object({ urls: v.array(v.object({ partNumber: PartNumber, url: Url })) }),
});

/** What S3 holds of an upload: the truth for going on with it. `upload_lost`. */
export const uploadList = route({
  method: 'POST',
  path: '/api/vaults/:vault/uploads/list',
  stage: 'full',
  request: v.strictObject({ blob: BlobId, uploadId: UploadId }),
  answer: v.object({
    parts: v.array(
      v.object({ partNumber: PartNumber, sizeBytes: Count, etag: v.string(), sha256: Sha256B64 }),
    ),
  }),
});

/**
 * Completes with every part's checksum and `If-None-Match: *`. Done already with the same digest is success;
 * `upload_lost`, `upload_mismatch`, `already_exists`.
 */
export const uploadComplete = route({
  method: 'POST',
  path: '/api/vaults/:vault/uploads/complete',
  stage: 'full',
  request: v.strictObject({
    blob: BlobId,
    uploadId: UploadId,
    sizeBytes: BlobSize,
    parts: v.pipe(
      v.array(
        v.strictObject({
          partNumber: PartNumber,
          etag: ETag,
          sha256: Sha256B64,
        }),
      ),
      v.minLength(1),
      v.maxLength(LIMITS.parts),
    ),
  }),
  /** S3's checksum of checksums, `base64-N`. */
  answer: v.object({ digest: v.string() }),
  bulk: true,
});

export const uploadAbort = route({
  method: 'POST',
  path: '/api/vaults/:vault/uploads/abort',
  stage: 'full',
  request: v.strictObject({ blob: BlobId, uploadId: UploadId }),
  answer: Empty,
});

export const snapshotPutUrls = route({
  method: 'POST',
  path: '/api/vaults/:vault/snapshots/put',
  stage: 'full',
  request: v.strictObject({
    pages: batchOf(
      v.strictObject({
        ...PageName.entries,
        sizeBytes: v.pipe(Count, v.minValue(1), v.maxValue(LIMITS.maxSnapshotPageBytes)),
        sha256: Sha256B64,
      }),
    ),
    grant: v.optional(GrantId),
  }),
  answer: v.object({ urls: v.array(v.object({ page: BlobId, url: Url })) }),
});

export const snapshotGetUrls = route({
  method: 'POST',
  path: '/api/vaults/:vault/snapshots/get',
  stage: 'full',
  request: v.strictObject({ pages: batchOf(PageName) }),
  answer: v.object({ urls: v.array(v.object({ page: BlobId, url: Url })) }),
});
