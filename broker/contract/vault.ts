import * as v from 'valibot';
import { Grant, Head } from './account.ts';
import { EnvelopeName, EnvelopeRecord, KeyPurpose } from './envelope.ts';
import { b64url, BlobId, Count, Factor, GrantId, s3Name, Sha256B64 } from './ids.ts';
import { LIMITS } from './limits.ts';
import { route } from './route.ts';

const Empty = v.strictObject({});
const batchOf = <Item extends v.GenericSchema>(item: Item) =>
  v.pipe(v.array(item), v.minLength(1), v.maxLength(LIMITS.batch));
const Url = v.pipe(v.string(), v.url(), v.maxLength(8192));
const BlobSize = v.pipe(Count, v.minValue(1), v.maxValue(LIMITS.maxBlobBytes));
const PartSize = v.pipe(Count, v.minValue(1), v.maxValue(LIMITS.maxPartBytes));
const PartNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIMITS.parts));
const UploadId = s3Name(1024);
const ETag = s3Name(128);
const Seq = v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number));

/** Makes KMS halves for new blobs, LIMITS.grantGenerations a code; no release is spent. `grant_missing`, `grant_spent`. */
export const keysGenerate = route({
  method: 'POST',
  path: '/api/vaults/:vault/keys/generate',
  stage: 'full',
  request: v.strictObject({ grant: GrantId, purpose: KeyPurpose, blobs: batchOf(BlobId) }),
  answer: v.object({
    keys: v.array(
      v.object({ blob: BlobId, kmsHalf: b64url({ exactly: 32 }), kmsBlob: b64url({ atMost: 1024 }) }),
    ),
  }),
});

/** Envelopes with their KMS halves. A blob without an envelope is left out of `keys` and named in `absent`. */
export const keysRelease = route({
  method: 'POST',
  path: '/api/vaults/:vault/keys/release',
  stage: 'full',
  request: v.strictObject({ grant: GrantId, purpose: KeyPurpose, names: batchOf(EnvelopeName) }),
  answer: v.object({
    keys: v.array(
      v.object({ blob: BlobId, epoch: Count, envelope: EnvelopeRecord, kmsHalf: b64url({ exactly: 32 }) }),
    ),
    absent: v.array(EnvelopeName),
  }),
});

/** Create-only; the same bytes again are fine, others are `already_exists`. */
export const envelopesWrite = route({
  method: 'POST',
  path: '/api/vaults/:vault/envelopes',
  stage: 'full',
  request: v.strictObject({
    envelopes: batchOf(v.strictObject({ blob: BlobId, envelope: EnvelopeRecord })),
  }),
  answer: Empty,
  bulk: true,
});

/**
 * A URL for a blob that goes up in one PUT. Signed headers: content-length, content-type (OBJECT_TYPE), if-none-match,
 * x-amz-checksum-sha256.
 */
export const blobPutUrl = route({
  method: 'POST',
  path: '/api/vaults/:vault/blobs/put',
  stage: 'full',
  request: v.strictObject({ blob: BlobId, sizeBytes: BlobSize, sha256: Sha256B64 }),
  answer: v.object({ url: Url }),
});

/**
 * URLs without a Range in the signature: the client ranges freely. No grant: it is ciphertext. Opened as a page, the answer is an
 * attachment of OBJECT_TYPE.
 */
export const blobGetUrls = route({
  method: 'POST',
  path: '/api/vaults/:vault/blobs/get',
  stage: 'full',
  request: v.strictObject({ blobs: batchOf(BlobId) }),
  answer: v.object({ urls: v.array(v.object({ blob: BlobId, url: Url })) }),
});

/** Starts a multipart upload of a blob of `sizeBytes` sealed bytes; `store_full`. */
export const uploadCreate = route({
  method: 'POST',
  path: '/api/vaults/:vault/uploads/create',
  stage: 'full',
  request: v.strictObject({ blob: BlobId, sizeBytes: BlobSize }),
  answer: v.object({ uploadId: UploadId }),
});

/** Signed headers: content-length, x-amz-checksum-sha256. */
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
 * Completes with every part's checksum and `If-None-Match: *`. Done already with the same digest is success; `upload_lost`,
 * `upload_mismatch`, `already_exists`.
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

/** Appends a journal segment at the place its head says; `head_changed` when that place is taken. */
export const logAppend = route({
  method: 'POST',
  path: '/api/vaults/:vault/log',
  stage: 'full',
  request: v.strictObject({ segment: b64url({ atMost: LIMITS.maxSegmentBytes }) }),
  answer: Head,
  bulk: true,
});

/** Segments from `from` on, as many as fit (see LIMITS); fewer than there are is no end: `head` says that. */
export const logRead = route({
  method: 'GET',
  path: '/api/vaults/:vault/log',
  stage: 'full',
  request: v.strictObject({ from: Seq }),
  answer: v.object({ head: Head, segments: v.array(b64url({ atMost: LIMITS.maxSegmentBytes })) }),
});

/**
 * For who gets no stream of events through: the newest head, or 204 without a body while its number is still `known`. As the vault's
 * record has it, which is what the stream is told of, too.
 */
export const headRead = route({
  method: 'GET',
  path: '/api/vaults/:vault/head',
  stage: 'full',
  request: v.strictObject({ known: Seq }),
  answer: v.optional(Head),
});

/**
 * `text/event-stream`: `head`, whose data is a Head, the first at once; and `inbox`, whose data is empty, whenever the broker
 * that is listened to has written inbox records (another broker's are not told of). A comment every 15 s.
 */
export const VAULT_EVENTS_PATH = '/api/vaults/:vault/events';

const PageName = v.strictObject({ seq: Count, page: BlobId });

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

/** A fresh code for deleting for good; it buys nothing else, and lasts five minutes. */
export const purgeGrant = route({
  method: 'POST',
  path: '/api/vaults/:vault/purge/grant',
  stage: 'full',
  request: v.strictObject({ factor: Factor }),
  answer: Grant,
});

/** Removes every version of the blobs, their envelopes and inbox records. Repeating it is harmless. */
export const purge = route({
  method: 'POST',
  path: '/api/vaults/:vault/purge',
  stage: 'full',
  request: v.strictObject({ grant: GrantId, blobs: batchOf(BlobId) }),
  answer: Empty,
});
