import * as v from 'valibot';
import { b64url, BlobId, Count } from './ids.ts';

/**
 * An envelope as it travels and rests (`v/<vault>/keys/<blob>/<epoch>`, JSON). The broker reads `kmsBlob` out of it at a
 * release, and nothing else; what it means is in docs/FORMAT.md.
 */
export const EnvelopeRecord = v.strictObject({
  suite: v.literal('halfkey/1'),
  epoch: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
  salt: b64url({ exactly: 32 }),
  kmsBlob: b64url({ atMost: 1024 }),
  sealedKey: b64url({ atMost: 1024 }),
});
export type EnvelopeRecord = v.InferOutput<typeof EnvelopeRecord>;

/** Whose envelope: the blob, and the vault key's epoch it is sealed under. */
export const EnvelopeName = v.strictObject({ blob: BlobId, epoch: Count });
export type EnvelopeName = v.InferOutput<typeof EnvelopeName>;

/** `file` for a file's version, `inbox` for the private half of an inbox key. */
export const KeyPurpose = v.picklist(['file', 'inbox']);
export type KeyPurpose = v.InferOutput<typeof KeyPurpose>;
