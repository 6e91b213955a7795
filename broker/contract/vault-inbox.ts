import * as v from 'valibot';
import { b64url, BlobId, Count, GrantId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { Empty, route } from './route.ts';

/**
 * What a capture will be in the drive, sealed to the vault's inbox key and signed by the device that took it in
 * (`v/<vault>/inbox/<blob>`, docs/FORMAT.md): to the broker bytes.
 */
export const InboxRecord = v.pipe(b64url({ atMost: LIMITS.maxInboxRecordBytes }), v.nonEmpty());

/** A blob as S3 holds it. */
export const StoredBlob = v.object({
  sizeBytes: Count,
  /** S3's SHA-256, base64: of the whole, or for a multipart upload of the parts' checksums, `base64-N`. */
  digest: v.string(),
});
export type StoredBlob = v.InferOutput<typeof StoredBlob>;

/**
 * Puts records beside blobs that have arrived. No grant: a locked device does this, and it is ciphertext. Create-only: the
 * same bytes again are fine, others are `already_exists`; `upload_lost` for those whose blob S3 does not hold. Both name
 * `records.N` (0-based) in `fields`; the others are written all the same.
 */
export const inboxWrite = route({
  method: 'POST',
  path: '/api/vaults/:vault/inbox',
  stage: 'full',
  request: v.strictObject({
    records: v.pipe(
      v.array(v.strictObject({ blob: BlobId, record: InboxRecord })),
      v.minLength(1),
      v.maxLength(LIMITS.batch),
    ),
  }),
  answer: Empty,
  bulk: true,
});

/**
 * Up to LIMITS.batch records in the order of their keys, from the one that follows `after` on (empty: from the first).
 * `more` is false at the end. `stored` is null where S3 holds no blob with a SHA-256. No grant: it is ciphertext.
 */
export const inboxList = route({
  method: 'GET',
  path: '/api/vaults/:vault/inbox',
  stage: 'full',
  request: v.strictObject({ after: v.union([v.literal(''), BlobId]) }),
  answer: v.object({
    records: v.array(v.object({ blob: BlobId, record: InboxRecord, stored: v.nullable(StoredBlob) })),
    more: v.boolean(),
  }),
});

/**
 * Removes all versions of the records, once adopted; repeating it is harmless. Wants a live grant, and spends nothing: a
 * session alone must not be able to destroy what nobody has adopted. `grant_missing`.
 */
export const inboxRemove = route({
  method: 'POST',
  path: '/api/vaults/:vault/inbox/remove',
  stage: 'full',
  request: v.strictObject({
    grant: GrantId,
    blobs: v.pipe(v.array(BlobId), v.minLength(1), v.maxLength(LIMITS.batch)),
  }),
  answer: Empty,
});
