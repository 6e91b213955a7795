import type { Query, WireHeaders } from '../http-headers.ts';
import { accessDenied, Refusal, signatureMismatch } from '../refusal.ts';
import { ALGORITHM, parseAmzDate, type Scope } from './canonical.ts';

/** A claim to be somebody, taken from a request and not verified yet. */
export interface Claim {
  readonly kind: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly amzDate: string;
  readonly signedAtMs: number;
  /** Lower case, in the order that was signed. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly sessionToken: string | undefined;
  /** Validity of a presigned URL from `signedAtMs` on. */
  readonly expiresInSeconds: number | undefined;
}

/** Seven days, AWS's own limit for presigned URLs. */
const MAXIMUM_EXPIRY_SECONDS = 604_800;

/**
 * Reads the signature out of the `Authorization` header or of a presigned query.
 * @returns undefined when the request carries neither
 * @throws {Refusal} when what it carries is malformed, or it carries both
 */
export function parseClaim(headers: WireHeaders, query: Query): Claim | undefined {
  const authorization = headers.get('authorization');
  const presigned =
    query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm') || query.has('X-Amz-Credential');
  if (authorization !== undefined && presigned)
    throw new Refusal(400, 'InvalidArgument', 'only one auth mechanism allowed', {
      details: { ArgumentName: 'Authorization' },
    });
  if (authorization !== undefined) return parseHeader(authorization, headers);
  return presigned ? parseQuery(query) : undefined;
}

function parseHeader(authorization: string, headers: WireHeaders): Claim {
  const malformed = (message: string) => new Refusal(400, 'AuthorizationHeaderMalformed', message);
  if (headers.all('authorization').length !== 1) throw malformed('expected one Authorization header');
  const match = /^AWS4-HMAC-SHA256\s+(.+)$/.exec(authorization);
  if (!match) throw new Refusal(400, 'InvalidRequest', `expected the authorization mechanism ${ALGORITHM}`);
  const fields = new Map<string, string>();
  for (const field of (match[1] ?? '').split(',')) {
    const [name, ...value] = field.trim().split('=');
    if (fields.has(name ?? '')) throw malformed('expected each field of the Authorization header once');
    fields.set(name ?? '', value.join('='));
  }
  const credential = fields.get('Credential');
  const signedHeaders = fields.get('SignedHeaders');
  const signature = fields.get('Signature');
  if (credential === undefined || signedHeaders === undefined || signature === undefined)
    throw malformed('expected Credential, SignedHeaders and Signature');
  const amzDate = headers.get('x-amz-date') ?? '';
  const signedAtMs = parseAmzDate(amzDate);
  if (signedAtMs === undefined) throw accessDenied('AWS authentication requires a valid x-amz-date header');
  return {
    kind: 'header',
    ...parseCredential(credential, amzDate, malformed),
    amzDate,
    signedAtMs,
    signedHeaders: signedHeaders.split(';'),
    signature,
    sessionToken: headers.get('x-amz-security-token'),
    expiresInSeconds: undefined,
  };
}

function parseQuery(query: Query): Claim {
  const malformed = (message: string) => new Refusal(400, 'AuthorizationQueryParametersError', message);
  const required = (name: string) => {
    const value = query.get(name);
    if (value === undefined || query.count(name) !== 1) throw malformed(`expected ${name} once in the query`);
    return value;
  };
  if (required('X-Amz-Algorithm') !== ALGORITHM) throw malformed(`expected X-Amz-Algorithm ${ALGORITHM}`);
  const amzDate = required('X-Amz-Date');
  const signedAtMs = parseAmzDate(amzDate);
  if (signedAtMs === undefined) throw malformed('expected X-Amz-Date as YYYYMMDDTHHMMSSZ');
  const expires = required('X-Amz-Expires');
  const expiresInSeconds = /^\d{1,6}$/.test(expires) ? Number(expires) : 0;
  if (expiresInSeconds < 1 || expiresInSeconds > MAXIMUM_EXPIRY_SECONDS)
    throw malformed(`expected X-Amz-Expires of 1 to ${String(MAXIMUM_EXPIRY_SECONDS)} seconds`);
  if (query.count('X-Amz-Security-Token') > 1) throw malformed('expected X-Amz-Security-Token at most once');
  return {
    kind: 'query',
    ...parseCredential(required('X-Amz-Credential'), amzDate, malformed),
    amzDate,
    signedAtMs,
    signedHeaders: required('X-Amz-SignedHeaders').split(';'),
    signature: required('X-Amz-Signature'),
    sessionToken: query.get('X-Amz-Security-Token'),
    expiresInSeconds,
  };
}

/** `AKID/20261101/us-east-1/s3/aws4_request`. */
export function parseCredential(
  credential: string,
  amzDate: string,
  malformed: (message: string) => Refusal,
): { accessKeyId: string; scope: Scope } {
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || rest.length > 0)
    throw malformed('expected a credential of access key, date, region, service and aws4_request');
  // A date that was altered to another day is a bad signature like one altered by a second.
  if (!amzDate.startsWith(date)) throw signatureMismatch();
  return { accessKeyId, scope: { date, region, service } };
}
