import { invalidRequest, notImplemented } from '../refusal.ts';
import { INLINE_BYTES } from '../store/body-digests.ts';
import type { Draft } from '../store/bucket.ts';
import type { WriteCondition } from '../store/write-condition.ts';
import type { VersionFacts } from '../store/version.ts';
import { type Context, demand, isAllowed, type Operation, type S3Call, type S3World } from './call.ts';
import { checksumHeaders } from './checksums.ts';
import { checkKey, requestObjectHeaders } from './object-headers.ts';
import { receiveBody, receiveDocument, type Received } from './receive.ts';
import { childrenNamed, childText, element, group, malformedXml, parseXml, xmlDocument } from './xml.ts';

const MAXIMUM_DELETE_BYTES = 2 * 1024 * 1024;
const MAXIMUM_DELETE_KEYS = 1000;

/** Conditions of a request that makes an object, as the policies see them. */
export const creationContext = ({ headers }: S3Call): Context => ({
  's3:if-none-match': headers.get('if-none-match'),
  's3:if-match': headers.get('if-match'),
  's3:ObjectCreationOperation': 'true',
});

/**
 * Reads `If-None-Match` and `If-Match` of a write. The latter needs the right to read, as on AWS.
 * @throws {Refusal} 501 for an ETag in `If-None-Match`, 403 without that right
 */
export function writeCondition(call: S3Call, world: S3World): WriteCondition {
  const ifNoneMatch = call.headers.get('if-none-match');
  const ifMatch = call.headers.get('if-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
    throw notImplemented('If-None-Match of an ETag on a write');
  if (ifNoneMatch !== undefined && ifMatch !== undefined)
    throw notImplemented('If-None-Match beside If-Match');
  if (ifMatch !== undefined) demand(call, world, 's3:GetObject');
  return { mustBeAbsent: ifNoneMatch === '*', mustMatch: ifMatch?.replace(/^"(.*)"$/, '$1') };
}

/** Tells the version; nothing in a bucket without versioning. */
export const versionHeader = (versionId: string): Record<string, string> =>
  versionId === 'null' ? {} : { 'x-amz-version-id': versionId };

/** Response headers of a version that was just made. */
export const createdHeaders = ({ etag, versionId, checksum }: VersionFacts): Record<string, string> => ({
  etag: `"${etag}"`,
  ...versionHeader(versionId),
  ...checksumHeaders(checksum),
});

/** What has been received, as an object. */
export const draftOf = (key: string, headers: Record<string, string>, received: Received): Draft => ({
  key,
  etag: received.etag,
  sizeBytes: received.body.sizeBytes,
  headers,
  checksum: received.checksum,
  inline: received.body.inline,
  files: received.body.file && [received.body.file],
});

export const putObject: Operation = async (call, world) => {
  demand(call, world, 's3:PutObject', creationContext(call));
  const bucket = world.store.get(call.bucketName);
  checkKey(call.key);
  const headers = requestObjectHeaders(call.headers);
  const condition = writeCondition(call, world);
  bucket.checkCondition(call.key, condition);
  const received = await receiveBody(call, bucket, INLINE_BYTES);
  const version = await bucket.put(draftOf(call.key, headers, received), condition, call.nowMs);
  return { status: 200, headers: createdHeaders(version) };
};

export const deleteObject: Operation = async (call, world) => {
  const versionId = call.query.get('versionId');
  demand(call, world, versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion');
  const bucket = world.store.get(call.bucketName);
  if (call.headers.get('if-match') !== undefined) throw notImplemented('conditional deletes');
  const removal = await bucket.remove(call.key, versionId, call.nowMs);
  return {
    status: 204,
    headers: {
      ...(removal.versionId !== undefined && { 'x-amz-version-id': removal.versionId }),
      ...(removal.deleteMarker && { 'x-amz-delete-marker': 'true' }),
    },
  };
};

export const deleteObjects: Operation = async (call, world) => {
  const bucket = world.store.get(call.bucketName);
  const { headers } = call;
  const hasDigest =
    headers.get('content-md5') !== undefined ||
    headers.names().some((name) => name.startsWith('x-amz-checksum-') || name === 'x-amz-trailer');
  if (!hasDigest)
    throw invalidRequest('missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  const root = parseXml(await receiveDocument(call, MAXIMUM_DELETE_BYTES), 'Delete');
  const objects = childrenNamed(root, 'Object');
  if (objects.length === 0 || objects.length > MAXIMUM_DELETE_KEYS) throw malformedXml();
  const quiet = childText(root, 'Quiet') === 'true';
  const results = await Promise.all(
    objects.map((object) => deleteOne(childText(object, 'Key'), childText(object, 'VersionId'))),
  );
  return { status: 200, xml: xmlDocument('DeleteResult', ...results) };

  async function deleteOne(key: string | undefined, named: string | undefined): Promise<string> {
    const versionId = named === '' ? undefined : named;
    if (key === undefined || key === '') throw malformedXml();
    const names = [element('Key', key), element('VersionId', versionId)];
    const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
    if (!isAllowed(call, world, action, { 's3:VersionId': versionId }, key))
      return group('Error', ...names, element('Code', 'AccessDenied'), element('Message', 'access denied'));
    const removal = await bucket.remove(key, versionId, call.nowMs);
    if (quiet) return '';
    return group(
      'Deleted',
      ...names,
      ...(removal.deleteMarker
        ? [element('DeleteMarker', true), element('DeleteMarkerVersionId', removal.versionId)]
        : []),
    );
  }
};
