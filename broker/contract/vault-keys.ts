import * as v from 'valibot';
import { Grant } from './accounts.ts';
import { EnvelopeName, EnvelopeRecord, KeyPurpose } from './envelope.ts';
import { b64url, BlobId, Count, Factor, GrantId } from './ids.ts';
import { batchOf, Empty, route } from './route.ts';

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
