import type { Credential } from '../principal.ts';
import { accessDenied, invalidAccessKey, Refusal, signatureMismatch } from '../refusal.ts';
import { parseCredential } from './authorization.ts';
import { ALGORITHM, parseAmzDate, sameSignature, sign, signingKey } from './canonical.ts';
import { checkLifetime, checkScope, MAXIMUM_SKEW_MS, type Verifier } from './verify.ts';

/** What a presigned POST allows. */
export interface PostGrant {
  readonly credential: Credential;
  readonly minimumBytes: number;
  readonly maximumBytes: number;
  readonly signatureAgeMs: number;
}

/** Fields that no condition needs to name. */
const EXEMPT = new Set(['policy', 'x-amz-signature', 'file']);
/** A browser-based upload is at most 5 GB. */
const MAXIMUM_POST_BYTES = 5 * 1024 ** 3;

/**
 * Verifies the form fields of a browser-based upload: the signature over the policy, its expiry, and that each field is
 * what a condition of the policy asks for.
 * @param fields lower-case names; without the file
 * @throws {Refusal} 403 where the policy or its signature does not hold
 */
export function verifyPost(
  fields: ReadonlyMap<string, string>,
  bucket: string,
  verifier: Verifier,
): PostGrant {
  const field = (name: string) => {
    const value = fields.get(name);
    if (value === undefined) throw accessDenied(`the form lacks the field ${name}`);
    return value;
  };
  const nowMs = verifier.nowMs();
  const policy = field('policy');
  if (field('x-amz-algorithm') !== ALGORITHM) throw accessDenied(`expected the algorithm ${ALGORITHM}`);
  const amzDate = field('x-amz-date');
  const signedAtMs = parseAmzDate(amzDate);
  if (signedAtMs === undefined || signedAtMs - nowMs > MAXIMUM_SKEW_MS)
    throw accessDenied('invalid x-amz-date');
  const claim = parseCredential(field('x-amz-credential'), amzDate, accessDenied);
  checkScope(claim, 's3', verifier.region);
  const credential = verifier.findCredential(claim.accessKeyId, fields.get('x-amz-security-token'));
  if (!credential) throw invalidAccessKey();
  const expected = sign(signingKey(credential.secretAccessKey, claim.scope), policy);
  if (!sameSignature(expected, field('x-amz-signature'))) throw signatureMismatch();
  checkLifetime(credential, nowMs);
  const range = checkPolicy(parsePolicy(policy), fields, bucket, nowMs);
  return { credential, ...range, signatureAgeMs: nowMs - signedAtMs };
}

interface PostPolicy {
  readonly expiration: string;
  readonly conditions: readonly unknown[];
}

function parsePolicy(policyB64: string): PostPolicy {
  const malformed = new Refusal(
    400,
    'InvalidPolicyDocument',
    'the policy is no JSON with expiration and conditions',
  );
  try {
    const policy: unknown = JSON.parse(Buffer.from(policyB64, 'base64').toString('utf8'));
    if (typeof policy !== 'object' || policy === null) throw malformed;
    const { expiration, conditions } = policy as Partial<Record<string, unknown>>;
    if (typeof expiration !== 'string' || !Array.isArray(conditions)) throw malformed;
    return { expiration, conditions };
  } catch {
    throw malformed;
  }
}

function checkPolicy(
  policy: PostPolicy,
  fields: ReadonlyMap<string, string>,
  bucket: string,
  nowMs: number,
): { minimumBytes: number; maximumBytes: number } {
  if (!(Date.parse(policy.expiration) > nowMs))
    throw accessDenied('invalid according to policy: policy expired');
  const covered = new Set(EXEMPT);
  let minimumBytes = 0;
  let maximumBytes = MAXIMUM_POST_BYTES;
  for (const condition of policy.conditions) {
    if (Array.isArray(condition) && condition[0] === 'content-length-range') {
      const [, minimum, maximum] = condition.map(Number);
      if (!(minimum !== undefined && maximum !== undefined && minimum >= 0 && maximum >= minimum))
        throw unmet();
      minimumBytes = Math.max(minimumBytes, minimum);
      maximumBytes = Math.min(maximumBytes, maximum);
      continue;
    }
    for (const { name, value, prefix } of matches(condition)) {
      // The bucket is in the URL; a field of that name is optional.
      const actual = name === 'bucket' ? bucket : fields.get(name);
      const holds = actual !== undefined && (prefix ? actual.startsWith(value) : actual === value);
      if (!holds) throw unmet();
      covered.add(name);
    }
  }
  for (const name of fields.keys())
    if (!covered.has(name) && !name.startsWith('x-ignore-'))
      throw accessDenied(`invalid according to policy: extra input field ${name}`);
  return { minimumBytes, maximumBytes };
}

interface FieldMatch {
  readonly name: string;
  readonly value: string;
  readonly prefix: boolean;
}

function matches(condition: unknown): FieldMatch[] {
  if (Array.isArray(condition)) {
    const [operator, field, value] = condition as unknown[];
    if (typeof field !== 'string' || !field.startsWith('$') || typeof value !== 'string') throw unmet();
    if (operator !== 'eq' && operator !== 'starts-with') throw unmet();
    return [{ name: field.slice(1).toLowerCase(), value, prefix: operator === 'starts-with' }];
  }
  if (typeof condition !== 'object' || condition === null) throw unmet();
  return Object.entries(condition).map(([name, value]) => {
    if (typeof value !== 'string') throw unmet();
    return { name: name.toLowerCase(), value, prefix: false };
  });
}

const unmet = (): Refusal => accessDenied('invalid according to policy: policy condition failed');
