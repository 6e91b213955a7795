import * as v from 'valibot';
import { EnvelopeName, KeyEpoch } from './envelope.ts';
import { b64url, BlobId } from './ids.ts';
import { refusalOf } from './problems.ts';
import { eachOf } from './route.ts';

/**
 * Envelopes with their KMS halves. A blob without an envelope is left out of `keys` and named in `absent`; what is
 * refused for itself is named in `refused`: `purged`, `record_corrupt`.
 */
export const ReleasedKeys = v.object({
  keys: eachOf(
    // Who opens the envelope judges it, and says what is wrong with it.
    v.object({ blob: BlobId, epoch: KeyEpoch, envelope: v.unknown(), kmsHalf: b64url({ exactly: 32 }) }),
  ),
  absent: eachOf(EnvelopeName),
  refused: eachOf(refusalOf(EnvelopeName.entries)),
});
export type ReleasedKeys = v.InferOutput<typeof ReleasedKeys>;
