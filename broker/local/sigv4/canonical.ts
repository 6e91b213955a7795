import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Query, WireHeaders } from '../http-headers.ts';

/** The one algorithm that is understood. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';
/** SHA-256 of nothing, hex. */
export const EMPTY_SHA256_HEX = createHash('sha256').digest('hex');

/** What a signing key is bound to. */
export interface Scope {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const sha256Hex = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex');

export const scopeText = ({ date, region, service }: Scope): string =>
  `${date}/${region}/${service}/aws4_request`;

const BEYOND_ASCII = /[\x80-\xff]/;
const LEFT_BY_JAVASCRIPT = /[!'()*]/g;

/** Percent-encodes all but RFC 3986's unreserved characters, as UTF-8. */
export function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    LEFT_BY_JAVASCRIPT,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export const encodePath = (path: string): string => path.split('/').map(encode).join('/');

/** The canonical request of AWS's "Create a signed request", with S3's path (encoded once, not normalised). */
export function canonicalRequest(request: {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly headers: WireHeaders;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
}): string {
  const query = request.query.pairs
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = request.signedHeaders
    .map((name) => `${name}:${request.headers.all(name).map(trimAll).join(',')}\n`)
    .join('');
  return [
    request.method,
    encodePath(request.path),
    query,
    headers,
    request.signedHeaders.join(';'),
    request.payloadHash,
  ].join('\n');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

// Node reads header bytes as Latin-1; what was signed are the bytes, as UTF-8 like the rest.
function trimAll(value: string): string {
  const text = BEYOND_ASCII.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;
  return text.trim().replaceAll(/ {2,}/g, ' ');
}

/** The string that is signed for a canonical request made at `amzDate` (`YYYYMMDDTHHMMSSZ`). */
export function stringToSign(amzDate: string, scope: Scope, canonical: string): string {
  return [ALGORITHM, amzDate, scopeText(scope), sha256Hex(canonical)].join('\n');
}

/** The key of a day, region and service. */
export function signingKey(secretAccessKey: string, { date, region, service }: Scope): Buffer {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  return hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), region), service), 'aws4_request');
}

export const sign = (key: Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest('hex');

/** Compares in constant time; false when the lengths differ. */
export function sameSignature(expected: string, actual: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(actual);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Milliseconds since the epoch of `YYYYMMDDTHHMMSSZ`; undefined when malformed. */
export function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const ms = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`,
  );
  return Number.isNaN(ms) ? undefined : ms;
}
