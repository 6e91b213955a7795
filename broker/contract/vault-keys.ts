import * as v from 'valibot';
import { Grant, Head } from './accounts.ts';
import { EnvelopeName, EnvelopeProof, EnvelopeRecord, KeyEpoch, KeyPurpose } from './envelope.ts';
import { b64url, BlobId, Factor, GrantId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { refusalOf } from './problems.ts';
import { ReleasedKeys } from './released-keys.ts';
import { batchOf, eachOf, route } from './route.ts';

/**
 * Makes KMS halves for new blobs, LIMITS.grantGenerations a code; no release is spent. `proof` lets the envelope of
 * this epoch be written within LIMITS.envelopeSeconds, grant or none. `grant_missing`, `grant_spent`.
 */
export const keysGenerate = route({
  method: 'POST',
  path: '/api/vaults/:vault/keys/generate',
  stage: 'full',
  takesGrant: true,
  request: v.strictObject({
    grant: GrantId,
    purpose: KeyPurpose,
    epoch: KeyEpoch,
    blobs: batchOf(BlobId),
  }),
  answer: v.object({
    keys: eachOf(
      v.object({
        blob: BlobId,
        kmsHalf: b64url({ exactly: 32 }),
        kmsBlob: b64url({ atMost: 1024 }),
        proof: EnvelopeProof,
      }),
    ),
  }),
});

/** Gives what was sealed back, as ReleasedKeys says, against a live grant: charged for every name. */
export const keysRelease = route({
  method: 'POST',
  path: '/api/vaults/:vault/keys/release',
  stage: 'full',
  takesGrant: true,
  request: v.strictObject({ grant: GrantId, purpose: KeyPurpose, names: batchOf(EnvelopeName) }),
  answer: ReleasedKeys,
});

/**
 * Create-only; the same bytes again are fine. Each is taken with `proof`, as `generate` gave it, or without with a live
 * grant, when it has the very KMS blob of an envelope of this blob that stands. Refused for itself: `grant_missing`
 * (without either, or too late), `already_exists` (other bytes stand there), `purged`, `upload_lost` (no blob, where it
 * is for a file).
 *
 * `entry` is a segment that names what the envelopes are for. It is appended as by `logAppend`, but only once every one
 * of them stands: `head` is absent where one was refused, and the problems of `logAppend` say that all of them stand.
 */
export const envelopesWrite = route({
  method: 'POST',
  path: '/api/vaults/:vault/envelopes',
  stage: 'full',
  request: v.strictObject({
    grant: v.optional(GrantId),
    envelopes: batchOf(
      v.strictObject({ blob: BlobId, envelope: EnvelopeRecord, proof: v.optional(EnvelopeProof) }),
    ),
    entry: v.optional(
      v.strictObject({ segment: b64url({ atMost: LIMITS.maxSegmentBytes }), grant: v.optional(GrantId) }),
    ),
  }),
  answer: v.object({ refused: v.array(refusalOf(EnvelopeName.entries)), head: v.optional(Head) }),
  bulk: true,
});

/** A fresh code for deleting for good; it buys nothing else, and lasts five minutes. */
export const purgeGrant = route({
  method: 'POST',
  path: '/api/vaults/:vault/purge/grant',
  stage: 'full',
  request: v.strictObject({ factor: Factor }),
  answer: Grant,
});

/**
 * Removes every version of the blobs, their envelopes and inbox records; nothing of these is ever released again.
 * Repeating it is harmless. Refused for itself: `store_refused`, where the store keeps something of it.
 */
export const purge = route({
  method: 'POST',
  path: '/api/vaults/:vault/purge',
  stage: 'full',
  takesGrant: true,
  request: v.strictObject({ grant: GrantId, blobs: batchOf(BlobId) }),
  answer: v.object({ refused: v.array(refusalOf({ blob: BlobId })) }),
});
