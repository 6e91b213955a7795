import * as v from 'valibot';
import { Head } from './accounts.ts';
import { b64url, BlobId, Count, GrantId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { batchOf, route } from './route.ts';

const Seq = v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number));

/**
 * A snapshot whose pages stay, because the segment that is appended names it: segments are sealed, so it is said in the
 * clear as well.
 */
export const NamedSnapshot = v.strictObject({
  /** Of the segment after which it was taken. */
  seq: Count,
  pages: batchOf(BlobId),
});
export type NamedSnapshot = v.InferOutput<typeof NamedSnapshot>;

/**
 * Appends a journal segment at the place its head says; `head_changed` when that place is taken. It is signed by the
 * session's device, or by the identity key, and then wants the proof that passphrase or kit and a code are answered
 * with (`proof_missing`). A device without a live grant writes little (LIMITS.segmentsPerSecond and others):
 * `too_many_requests`. `store_full`.
 */
export const logAppend = route({
  method: 'POST',
  path: '/api/vaults/:vault/log',
  stage: 'full',
  request: v.strictObject({
    segment: b64url({ atMost: LIMITS.maxSegmentBytes }),
    snapshot: v.optional(NamedSnapshot),
    proof: v.optional(b64url({ exactly: 32 })),
    grant: v.optional(GrantId),
  }),
  answer: Head,
  bulk: true,
});

/** Segments from `from` on, as many as fit (see LIMITS); fewer than there are is not an end: `head` says that. */
export const logRead = route({
  method: 'GET',
  path: '/api/vaults/:vault/log',
  stage: 'full',
  request: v.strictObject({ from: Seq }),
  answer: v.object({ head: Head, segments: v.array(b64url({ atMost: LIMITS.maxSegmentBytes })) }),
});

/**
 * For who gets no stream of events through: the newest head, or 204 without a body while its number is still `known`.
 * As the vault's record has it, which is what the stream is told of, too.
 */
export const headRead = route({
  method: 'GET',
  path: '/api/vaults/:vault/head',
  stage: 'full',
  request: v.strictObject({ known: Seq }),
  answer: v.optional(Head),
});
