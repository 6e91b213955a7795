import * as v from 'valibot';
import { LIMITS } from './limits.ts';

/** What a refusal is remedied by, in five families; the client's error carries the same codes. */
export const PROBLEMS = {
  // corrupt: never retried, nothing released
  record_corrupt: { status: 500, title: 'a stored record does not authenticate' },
  // refused: ask, or wait
  input_malformed: { status: 400, title: 'the request is malformed' },
  input_too_large: { status: 413, title: 'the request is too large' },
  login_refused: { status: 401, title: 'user name and passphrase do not match' },
  login_expired: { status: 401, title: 'the login took too long or was used already' },
  recovery_refused: { status: 401, title: 'the recovery words do not match' },
  session_missing: { status: 401, title: 'sign in first' },
  nonce_stale: { status: 401, title: 'repeat the request with the fresh nonce' },
  code_wrong: { status: 401, title: 'the code is wrong' },
  code_used: { status: 401, title: 'the code was used already; wait for the next' },
  code_locked: { status: 429, title: 'too many wrong codes' },
  proof_missing: { status: 403, title: 'passphrase and code are needed once more' },
  device_revoked: { status: 403, title: 'this device was signed out for good; it needs new keys' },
  backup_code_refused: { status: 401, title: 'the backup code is wrong or used' },
  too_many_requests: { status: 429, title: 'too many requests' },
  grant_missing: { status: 403, title: 'a code is needed' },
  grant_spent: { status: 403, title: 'the grant is used up; a new code is needed' },
  not_a_member: { status: 403, title: 'no such vault, or not a member of it' },
  origin_refused: { status: 403, title: 'the request comes from another site' },
  name_taken: { status: 409, title: 'the user name is taken' },
  signup_closed: { status: 403, title: 'sign-up is closed' },
  store_full: { status: 507, title: 'no space left for this vault' },
  inbox_full: { status: 429, title: 'too many captures wait for a code already' },
  store_refused: { status: 502, title: 'the store refuses it, and will again' },
  not_found: { status: 404, title: 'no such thing' },
  key_absent: { status: 404, title: 'no envelope for this blob' },
  purged: { status: 410, title: 'deleted for good' },
  // changed: start again
  head_changed: { status: 412, title: 'another writer was first' },
  already_exists: { status: 412, title: 'the object exists already' },
  upload_lost: { status: 404, title: 'the multipart upload is gone' },
  upload_mismatch: { status: 409, title: 'the uploaded parts do not match' },
  keyring_changed: { status: 412, title: 'the keyring was changed meanwhile' },
  // unreachable: backoff
  store_unreachable: { status: 503, title: 'the store does not answer' },
  kms_unreachable: { status: 503, title: 'the key service does not answer' },
  kms_key_unusable: { status: 503, title: 'the key service refuses to use its key' },
  internal: { status: 500, title: 'something went wrong in the broker' },
} as const satisfies Record<string, { status: number; title: string }>;

/** Stable snake_case code of a broker's refusal. */
export type ProblemCode = keyof typeof PROBLEMS;

const ProblemName = v.picklist(Object.keys(PROBLEMS) as ProblemCode[]);

/**
 * One of a batch that was refused, by what names it, and why; the others of its batch took place. An unknown reason
 * is `record_corrupt`: it holds up none of the others, and the one that it is of is not taken for done.
 */
export const refusalOf = <Name extends v.ObjectEntries>(name: Name) =>
  v.object({ ...name, code: v.fallback(ProblemName, 'record_corrupt') });

/** `application/problem+json` (RFC 9457): `code` is what programs look at. */
export const Problem = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  code: ProblemName,
  /** Seconds to wait before the next try, where waiting helps. */
  retryAfterSeconds: v.optional(v.number()),
  /**
   * With a code that was refused, once it is LIMITS.triesAnnounced or fewer: wrong ones that may still come before the
   * lock. 0: locked.
   */
  triesLeft: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LIMITS.triesAnnounced))),
  /** Paths of the fields at fault, never their values. */
  fields: v.optional(v.array(v.string())),
});
export type Problem = v.InferOutput<typeof Problem>;
