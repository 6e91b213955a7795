import type { Query, WireHeaders } from '../http-headers.ts';
import type { Credential, FindCredential, Principal } from '../principal.ts';
import { accessDenied, invalidAccessKey, Refusal, signatureMismatch } from '../refusal.ts';
import { type Claim, parseClaim } from './authorization.ts';
import { canonicalRequest, sameSignature, type Scope, sign, stringToSign } from './canonical.ts';
import { SigningKeys } from './signing-keys.ts';

/** AWS's tolerance for clocks. */
export const MAXIMUM_SKEW_MS = 15 * 60_000;

/** A request whose signature holds. */
export interface Verified {
  readonly principal: Principal;
  readonly authType: 'REST-HEADER' | 'REST-QUERY-STRING';
  /** Time since a presigned URL was signed; undefined for signed headers. */
  readonly signatureAgeMs: number | undefined;
  /** What chunk signatures continue from. */
  readonly seed: SignatureSeed;
}

/** The start of a chain of chunk signatures. */
export interface SignatureSeed {
  readonly key: Buffer;
  readonly amzDate: string;
  readonly scope: Scope;
  readonly signature: string;
}

const signingKeys = new SigningKeys();

/** What signatures are held against. */
export interface Verifier {
  readonly findCredential: FindCredential;
  readonly region: string;
  readonly nowMs: () => number;
}

/** A request, as far as it is signed. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly headers: WireHeaders;
  /** `s3`, `kms` or `cognito-identity`. */
  readonly service: string;
  /** What the signer claims, or is known, of the body: a SHA-256 in hex or one of S3's markers. */
  readonly payloadHash: string;
}

/**
 * Verifies Signature Version 4, in headers or in a presigned query.
 * @returns undefined when the request is not signed at all
 * @throws {Refusal} 403 for whatever does not hold, 400 for what is malformed
 */
export function verifySignature(request: SignedRequest, verifier: Verifier): Verified | undefined {
  const claim = parseClaim(request.headers, request.query);
  if (!claim) return undefined;
  checkSignedHeaders(claim, request.headers);
  const credential = verifier.findCredential(claim.accessKeyId, claim.sessionToken);
  if (!credential) throw invalidAccessKey();
  const key = signingKeys.of(credential, claim.scope);
  const canonical = canonicalRequest({ ...request, signedHeaders: claim.signedHeaders });
  if (!sameSignature(sign(key, stringToSign(claim.amzDate, claim.scope, canonical)), claim.signature))
    throw signatureMismatch();
  signingKeys.keep(credential, claim.scope, key);
  // Scope and times come after the signature: anyone who altered one, or the header that chose the service, learns only
  // that.
  checkScope(claim, request.service, verifier.region);
  const nowMs = verifier.nowMs();
  checkTime(claim, nowMs);
  checkLifetime(credential, nowMs);
  return {
    principal: credential.principal,
    authType: claim.kind === 'header' ? 'REST-HEADER' : 'REST-QUERY-STRING',
    signatureAgeMs: claim.kind === 'query' ? nowMs - claim.signedAtMs : undefined,
    seed: { key, amzDate: claim.amzDate, scope: claim.scope, signature: claim.signature },
  };
}

/** @throws {Refusal} 400 when the credential is for another region or service */
export function checkScope({ scope }: Pick<Claim, 'scope'>, service: string, region: string): void {
  if (scope.region !== region)
    throw new Refusal(400, 'AuthorizationHeaderMalformed', `expected the region ${region}`, {
      details: { Region: region },
    });
  if (scope.service !== service)
    throw new Refusal(400, 'AuthorizationHeaderMalformed', `expected the service ${service}`);
}

/** @throws {Refusal} 400 `ExpiredToken` when a temporary credential has run out */
export function checkLifetime({ expiresAtMs }: Credential, nowMs: number): void {
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs)
    throw new Refusal(400, 'ExpiredToken', 'the provided token has expired');
}

function checkSignedHeaders(claim: Claim, headers: WireHeaders): void {
  const signed = new Set(claim.signedHeaders);
  const sorted = [...signed].sort();
  if (claim.signedHeaders.some((name, index) => name !== sorted[index] || name !== name.toLowerCase()))
    throw signatureMismatch();
  if (!signed.has('host')) throw accessDenied('the host header has to be signed');
  for (const name of signed) {
    // Absent would look like empty to the canonical form, and two values like one with a comma.
    if (headers.all(name).length !== 1) throw signatureMismatch();
  }
  const unsigned = headers.names().filter((name) => name.startsWith('x-amz-') && !signed.has(name));
  if (unsigned.length > 0)
    throw new Refusal(
      403,
      'AccessDenied',
      'there were headers present in the request which were not signed',
      {
        details: { HeadersNotSigned: unsigned.join(', ') },
      },
    );
}

function checkTime({ signedAtMs, expiresInSeconds }: Claim, nowMs: number): void {
  if (expiresInSeconds === undefined) {
    if (Math.abs(nowMs - signedAtMs) > MAXIMUM_SKEW_MS) throw skewed(nowMs, signedAtMs);
    return;
  }
  if (signedAtMs - nowMs > MAXIMUM_SKEW_MS) throw accessDenied('the request is not valid yet');
  const expiresAtMs = signedAtMs + expiresInSeconds * 1000;
  if (nowMs > expiresAtMs)
    throw new Refusal(403, 'AccessDenied', 'request has expired', {
      details: {
        'X-Amz-Expires': String(expiresInSeconds),
        Expires: new Date(expiresAtMs).toISOString(),
        ServerTime: new Date(nowMs).toISOString(),
      },
    });
}

const skewed = (nowMs: number, signedAtMs: number): Refusal =>
  new Refusal(403, 'RequestTimeTooSkewed', 'the time of the request differs too much from the time here', {
    details: {
      RequestTime: new Date(signedAtMs).toISOString(),
      ServerTime: new Date(nowMs).toISOString(),
      MaxAllowedSkewMilliseconds: String(MAXIMUM_SKEW_MS),
    },
  });
