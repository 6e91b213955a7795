import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authorize, Principal } from '../principal.ts';
import type { PolicyDocument } from './document.ts';
import { parseDocument } from './document.ts';
import { PolicyError } from './policy-error.ts';
import { decide, type Question, questionOf } from './evaluate.ts';

/** What stands for the `{{name}}` of the policy files; the names are the same. */
export interface PolicyValues {
  readonly bucket: string;
  readonly kmsKeyArn: string;
  readonly region: string;
  /** Twelve digits. */
  readonly accountId: string;
  /** `region:uuid`. */
  readonly identityPoolId: string;
}

/** The three policy files, read and understood. */
export interface Policies {
  readonly vaultIdentity: PolicyDocument;
  readonly brokerRole: PolicyDocument;
  /** `bucket.json` with its placeholders filled in: the text for PutBucketPolicy. */
  readonly bucketPolicyText: string;
}

/** S3's own limit for the policy of a bucket. */
const BUCKET_POLICY_MAX_BYTES = 20_480;
/** Nothing that means something to IAM's patterns or to JSON. */
const PLAIN = /^[\w.:/-]+$/;

/**
 * Reads `vault-identity.json`, `broker-role.json` and `bucket.json` from `folder`.
 * @throws {PolicyError} when a file is missing, or says anything that could not be evaluated to the letter:
 *   to refuse the start is safer than to ignore a condition
 */
export function loadPolicies(folder: string, values: PolicyValues): Policies {
  const read = (name: string): unknown =>
    inFile(name, () => fill(parseJson(readText(join(folder, name))), values));
  const vaultIdentity = read('vault-identity.json');
  const brokerRole = read('broker-role.json');
  const bucketPolicyText = JSON.stringify(read('bucket.json'));
  inFile('bucket.json', () => parseBucketPolicy(bucketPolicyText));
  return {
    vaultIdentity: inFile('vault-identity.json', () =>
      parseDocument(vaultIdentity, { sub: true, bucket: false }),
    ),
    brokerRole: inFile('broker-role.json', () => parseDocument(brokerRole, { sub: false, bucket: false })),
    bucketPolicyText,
  };
}

/**
 * Reads a bucket's policy as PutBucketPolicy brought it.
 * @throws {PolicyError} on what is not a policy, or not supported; S3 answers 400 MalformedPolicy
 */
export function parseBucketPolicy(text: string): PolicyDocument {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > BUCKET_POLICY_MAX_BYTES) {
    throw new PolicyError(
      'bad_value',
      `expected at most ${String(BUCKET_POLICY_MAX_BYTES)} bytes, got ${String(sizeBytes)}`,
    );
  }
  return parseDocument(parseJson(text), { sub: false, bucket: true });
}

/** What IAM lets the account's root do whatever the bucket's policy says, or a slip in it could never be mended. */
const ALWAYS_ROOTS: ReadonlySet<string> = new Set([
  's3:GetBucketPolicy',
  's3:PutBucketPolicy',
  's3:DeleteBucketPolicy',
]);

/**
 * The decision on each request: an explicit Deny wins, else the caller's own policy has to allow it.
 * The administrator is allowed everything, and still subject to the bucket's policy, as the root of an account is.
 * @param bucketPolicy the bucket's policy as it now is; undefined when it has none
 */
export function createAuthorize(
  policies: Policies,
  bucketPolicy: () => PolicyDocument | undefined,
): Authorize {
  return (request) => {
    const question = questionOf(request);
    const own = decideOwn(policies, request.principal, question);
    if (own !== 'Allow') return false;
    if (!request.action.startsWith('s3:')) return true;
    if (request.principal.kind === 'administrator' && ALWAYS_ROOTS.has(request.action)) return true;
    const ofBucket = bucketPolicy();
    return ofBucket === undefined || decide(ofBucket, question) !== 'Deny';
  };
}

function decideOwn(
  policies: Policies,
  { kind }: Principal,
  question: Question | undefined,
): 'Allow' | 'Deny' | undefined {
  switch (kind) {
    case 'administrator':
      return 'Allow';
    case 'broker':
      return decide(policies.brokerRole, question);
    case 'identity':
      return decide(policies.vaultIdentity, question);
  }
}

function inFile<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PolicyError) throw new PolicyError(error.code, `${name}: ${error.detail}`);
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PolicyError(
      'unreadable',
      cause instanceof Error && 'code' in cause ? String(cause.code) : 'no text',
    );
  }
}

function parseJson(text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PolicyError('not_json', 'expected a JSON document');
  }
  // Of a name given twice JSON.parse keeps the last alone: half of a Condition would be gone without a word.
  const names = Array.from(text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)).filter(
    ([, colon]) => colon !== undefined,
  ).length;
  if (names !== countNames(json)) throw new PolicyError('bad_value', 'expected each name once in its object');
  return json;
}

/** Counted without recursion: a bucket's policy may be nested as deep as its 20 KB allow. */
function countNames(json: unknown): number {
  const found: unknown[] = [json];
  let names = 0;
  for (const value of found) {
    if (typeof value !== 'object' || value === null) continue;
    const values: unknown[] = Object.values(value);
    if (!Array.isArray(value)) names += values.length;
    found.push(...values);
  }
  return names;
}

/** Fills in the placeholders after the JSON has been parsed, so that no value can become part of its structure. */
function fill(json: unknown, values: PolicyValues): unknown {
  if (typeof json === 'string') return fillText(json, values);
  if (Array.isArray(json)) return json.map((item: unknown) => fill(item, values));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, fill(value, values)]));
}

function fillText(text: string, values: PolicyValues): string {
  const known = new Map(Object.entries(values));
  return text.replaceAll(/\{\{(.*?)\}\}/g, (_, name: string) => {
    const value: unknown = known.get(name);
    if (typeof value !== 'string') throw new PolicyError('unknown_placeholder', name);
    if (!PLAIN.test(value))
      throw new PolicyError('bad_value', `the value of {{${name}}} has a character with a meaning`);
    return value;
  });
}
