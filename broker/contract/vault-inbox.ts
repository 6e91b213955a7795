import * as v from 'valibot';
import { b64url, BlobId, Count, DeviceId, GrantId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { refusalOf } from './problems.ts';
import { batchOf, eachOf, route } from './route.ts';

/**
 * What a capture will be in the drive, sealed to the vault's inbox key and signed by the device that took it in
 * (`v/<vault>/inbox/<device>/<blob>`, docs/FORMAT.md): of all of it the broker looks at the signature alone.
 */
export const InboxRecord = v.pipe(b64url({ atMost: LIMITS.maxInboxRecordBytes }), v.nonEmpty());

/** Whose record, and of which blob. */
export const InboxName = v.strictObject({ device: DeviceId, blob: BlobId });
export type InboxName = v.InferOutput<typeof InboxName>;

/** A blob as S3 holds it. */
export const StoredBlob = v.object({
  sizeBytes: Count,
  /** S3's SHA-256, base64: of the whole, or for a multipart upload of the parts' checksums, `base64-N`. */
  digest: v.string(),
});
export type StoredBlob = v.InferOutput<typeof StoredBlob>;

/**
 * Puts records beside blobs that have arrived. No grant: a locked device does this, and it is ciphertext; so it must be
 * signed by the session's own device, and no more than LIMITS.waitingRecords of a device wait. Create-only, the same
 * bytes again are fine. Refused for itself: `input_malformed` (no record of this device), `already_exists`,
 * `upload_lost` (S3 does not hold the blob, or has held it for so long that it is about to be swept), `inbox_full`.
 */
export const inboxWrite = route({
  method: 'POST',
  path: '/api/vaults/:vault/inbox',
  stage: 'full',
  request: v.strictObject({ records: batchOf(v.strictObject({ blob: BlobId, record: InboxRecord })) }),
  answer: v.object({ refused: v.array(refusalOf({ blob: BlobId })) }),
  bulk: true,
});

/**
 * Up to LIMITS.inboxNames names in the order of their keys, from the one that follows `after` (`<device>/<blob>`;
 * empty: from the first) on. `tag` is another when the record is, `atMs` when it was written, by the store's clock. `more` is false at the end. No grant: it is
 * ciphertext.
 */
export const inboxList = route({
  method: 'GET',
  path: '/api/vaults/:vault/inbox',
  stage: 'full',
  request: v.strictObject({ after: v.pipe(v.string(), v.regex(/^(?:[\w-]{22}\/[\w-]{22})?$/)) }),
  answer: v.object({
    names: eachOf(v.object({ ...InboxName.entries, tag: v.string(), atMs: Count })),
    more: v.boolean(),
  }),
});

/**
 * Records by name; one that has gone meanwhile is left out. `stored` is null where S3 holds no blob with a SHA-256;
 * `purged` says that this is because the blob was deleted for good.
 */
export const inboxRead = route({
  method: 'POST',
  path: '/api/vaults/:vault/inbox/read',
  stage: 'full',
  request: v.strictObject({ names: batchOf(InboxName) }),
  answer: v.object({
    records: eachOf(
      v.object({
        ...InboxName.entries,
        record: InboxRecord,
        stored: v.nullable(StoredBlob),
        purged: v.boolean(),
      }),
    ),
  }),
});

/**
 * Removes all versions of the records, once adopted; repeating it is harmless. Wants a live grant, and spends nothing:
 * a session alone must not be able to destroy what was not adopted yet. `grant_missing`; refused for itself:
 * `store_refused`.
 */
export const inboxRemove = route({
  method: 'POST',
  path: '/api/vaults/:vault/inbox/remove',
  stage: 'full',
  request: v.strictObject({ grant: GrantId, names: batchOf(InboxName) }),
  answer: v.object({ refused: v.array(refusalOf(InboxName.entries)) }),
});

/**
 * Throws away what a device that was signed out for good has left there since a moment (ms since 1970, by the store's
 * clock): its records, and the blobs that it alone was charged with, unless a code has taken them in or another device
 * names them. Wants what passphrase and code were answered with: no other device could adopt any of it, but the device
 * itself could, should it sign in again. May be sent again. `proof_missing`; `input_malformed` for a device that is
 * signed in; refused for itself: `store_refused`.
 */
export const inboxDiscard = route({
  method: 'POST',
  path: '/api/vaults/:vault/inbox/discard',
  stage: 'full',
  request: v.strictObject({ proof: b64url({ exactly: 32 }), device: DeviceId, sinceMs: Count }),
  answer: v.object({ refused: v.array(refusalOf({ blob: BlobId })) }),
});
