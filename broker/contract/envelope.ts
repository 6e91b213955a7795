import * as v from 'valibot';
import { b64url, BlobId } from './ids.ts';

/** `file` for a file's version, `inbox` for the private half of an inbox key. */
export const KeyPurpose = v.picklist(['file', 'inbox']);
export type KeyPurpose = v.InferOutput<typeof KeyPurpose>;

/** Of a vault key. */
export const KeyEpoch = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));

/**
 * An envelope as it is sent and stored (`v/<vault>/keys/<blob>/<epoch>`, JSON). The broker reads `kmsBlob` out of it at
 * a release, and `purpose` when it looks whether it belongs to anything; what it means is in docs/FORMAT.md.
 */
export const EnvelopeRecord = v.strictObject({
  suite: v.literal('halfkey/1'),
  purpose: KeyPurpose,
  epoch: KeyEpoch,
  salt: b64url({ exactly: 32 }),
  kmsBlob: b64url({ atMost: 1024 }),
  sealedKey: b64url({ atMost: 1024 }),
});
export type EnvelopeRecord = v.InferOutput<typeof EnvelopeRecord>;

/** Whose envelope: the blob, and the vault key's epoch it is sealed under. */
export const EnvelopeName = v.strictObject({ blob: BlobId, epoch: KeyEpoch });
export type EnvelopeName = v.InferOutput<typeof EnvelopeName>;

/**
 * Until when (u64be, ms since 1970), and the broker's HMAC-SHA-256 of what was made: what lets an envelope of it be
 * written.
 */
export const EnvelopeProof = b64url({ exactly: 40 });
