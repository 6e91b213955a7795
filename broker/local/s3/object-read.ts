import { accessDenied, Refusal } from '../refusal.ts';
import type { Bucket } from '../store/bucket.ts';
import { preconditionFailed } from '../store/write-condition.ts';
import type { Version, VersionFacts } from '../store/version.ts';
import { demand, isAllowed, type Operation, type S3Call, type S3World } from './call.ts';
import { checksumHeaders } from './checksums.ts';

const OVERRIDES = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
] as const;

/** GetObject and HeadObject: they differ in the body only. */
export const getObject: Operation = (call, world) => {
  const versionId = call.query.get('versionId');
  demand(call, world, versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion');
  const bucket = world.store.get(call.bucketName);
  const version = findVersion(call, world, bucket, versionId);
  const { facts } = version;
  const headers = versionHeaders(call, facts, bucket);
  if (isNotModified(call, facts)) return Promise.resolve({ status: 304, headers });
  const range = parseRange(call, facts);
  const { start, end } = range ?? { start: 0, end: facts.sizeBytes };
  const withChecksum = call.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' && !range;
  const answer = {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      'content-length': String(end - start),
      ...(range && {
        'content-range': `bytes ${String(start)}-${String(end - 1)}/${String(facts.sizeBytes)}`,
      }),
      ...(withChecksum && checksumHeaders(facts.checksum)),
    },
  };
  const whole = call.method === 'HEAD' ? undefined : bucket.readSmall(version);
  return Promise.resolve(
    whole
      ? { ...answer, content: whole.subarray(start, end) }
      : { ...answer, bytes: { sizeBytes: end - start, source: bucket.read(version, start, end) } },
  );
};

function findVersion(call: S3Call, world: S3World, bucket: Bucket, versionId: string | undefined): Version {
  if (versionId !== undefined) {
    const version = bucket.index.find(call.key, versionId);
    if (!version) throw missing(call, world, 'NoSuchVersion', {});
    if (version.facts.deleteMarker)
      throw new Refusal(405, 'MethodNotAllowed', 'the version is a delete marker', {
        details: { Method: call.method, ResourceType: 'DeleteMarker' },
        headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': versionId, allow: 'DELETE' },
      });
    return version;
  }
  const version = bucket.index.current(call.key);
  if (!version) throw missing(call, world, 'NoSuchKey', {});
  if (version.facts.deleteMarker)
    throw missing(call, world, 'NoSuchKey', {
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': version.facts.versionId,
    });
  return version;
}

/**
 * S3 tells that a key is missing only to those who may list it, and a GET names no prefix: read strictly, a permission
 * that has a condition on one does not count.
 */
function missing(call: S3Call, world: S3World, code: string, headers: Record<string, string>): Refusal {
  const context = world.missingKeys === 'lenient' ? { 's3:prefix': call.key } : {};
  if (!isAllowed(call, world, 's3:ListBucket', context, '')) return accessDenied();
  return new Refusal(404, code, 'the specified key does not exist', { details: { Key: call.key }, headers });
}

function versionHeaders({ query }: S3Call, facts: VersionFacts, bucket: Bucket): Record<string, string> {
  const overrides = OVERRIDES.flatMap((name) => {
    const value = query.get(`response-${name}`);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    'content-type': 'binary/octet-stream',
    ...facts.headers,
    ...Object.fromEntries(overrides),
    'accept-ranges': 'bytes',
    etag: `"${facts.etag}"`,
    'last-modified': new Date(facts.modifiedMs).toUTCString(),
    ...(bucket.settings.versioning && { 'x-amz-version-id': facts.versionId }),
  };
}

/**
 * RFC 9110 §13.2.2, the order of conditions.
 * @throws {Refusal} 412
 */
function isNotModified({ headers }: S3Call, { etag, modifiedMs }: VersionFacts): boolean {
  const modifiedSeconds = Math.floor(modifiedMs / 1000);
  const secondsOf = (name: string) => {
    const ms = Date.parse(headers.get(name) ?? '');
    return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
  };
  const ifMatch = headers.get('if-match');
  const unmodifiedSince = secondsOf('if-unmodified-since');
  if (ifMatch !== undefined) {
    if (!namesEtag(ifMatch, etag)) throw preconditionFailed('If-Match');
  } else if (unmodifiedSince !== undefined && modifiedSeconds > unmodifiedSince) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== undefined) return namesEtag(ifNoneMatch, etag);
  const modifiedSince = secondsOf('if-modified-since');
  return modifiedSince !== undefined && modifiedSeconds <= modifiedSince;
}

const namesEtag = (list: string, etag: string): boolean =>
  list.split(',').some((item) => ['*', etag, `"${etag}"`].includes(item.trim()));

/**
 * One byte range, `end` exclusive. Several ranges, or what is not a range, are ignored as S3 does.
 * @throws {Refusal} 416 `InvalidRange`
 */
function parseRange(
  { headers }: S3Call,
  { sizeBytes, etag }: VersionFacts,
): { start: number; end: number } | undefined {
  const text = headers.get('range');
  const match = text === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text.trim());
  const ifRange = headers.get('if-range');
  if (!match || (ifRange !== undefined && !namesEtag(ifRange, etag))) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(sizeBytes - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (start >= sizeBytes || (first === '' && Number(last) === 0))
    throw new Refusal(416, 'InvalidRange', 'the requested range is not satisfiable', {
      details: { RangeRequested: text ?? '', ActualObjectSize: String(sizeBytes) },
      headers: { 'content-range': `bytes */${String(sizeBytes)}` },
    });
  return { start, end };
}
