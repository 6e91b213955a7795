import type { WireHeaders } from '../http-headers.ts';
import { notImplemented, Refusal } from '../refusal.ts';

const KEPT = [
  'content-type',
  'content-encoding',
  'content-disposition',
  'content-language',
  'cache-control',
  'expires',
] as const;
const METADATA_PREFIX = 'x-amz-meta-';
/** S3's limit on the names and values of user metadata together. */
const MAXIMUM_METADATA_BYTES = 2048;

/** What a client may say that would be a lie to ignore. */
const UNSUPPORTED =
  /^x-amz-(server-side-encryption|object-lock|website-redirect|grant|tagging|object-ownership|write-offset)/;

/**
 * The headers of an upload that are kept with the object and returned by Get and Head.
 * @throws {Refusal} 501 for headers that ask for something the local cloud does not do, 400 for too much metadata
 */
export function objectHeaders(
  names: Iterable<string>,
  value: (name: string) => string | undefined,
): Record<string, string> {
  const kept: Record<string, string> = {};
  let metadataBytes = 0;
  for (const name of names) {
    if (UNSUPPORTED.test(name)) throw notImplemented(name);
    const text = value(name) ?? '';
    if (name.startsWith(METADATA_PREFIX)) metadataBytes += name.length - METADATA_PREFIX.length + text.length;
    else if (!KEPT.some((known) => known === name)) continue;
    kept[name] = text;
  }
  if (metadataBytes > MAXIMUM_METADATA_BYTES)
    throw new Refusal(
      400,
      'MetadataTooLarge',
      'your metadata headers exceed the maximum allowed metadata size',
      {
        details: { Size: String(metadataBytes), MaxSizeAllowed: String(MAXIMUM_METADATA_BYTES) },
      },
    );
  const storageClass = value('x-amz-storage-class');
  if (storageClass !== undefined && storageClass !== 'STANDARD') throw notImplemented('storage classes');
  const acl = value('x-amz-acl');
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control')
    throw notImplemented('ACLs');
  return withoutChunking(kept);
}

/** The same, of a request's headers. */
export const requestObjectHeaders = (headers: WireHeaders): Record<string, string> =>
  objectHeaders(headers.names(), (name) => headers.get(name));

// aws-chunked frames the request only and is not a property of the object.
function withoutChunking(headers: Record<string, string>): Record<string, string> {
  const { 'content-encoding': encoding, ...others } = headers;
  const left = (encoding ?? '')
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'aws-chunked');
  return left.length === 0 ? others : { ...others, 'content-encoding': left.join(',') };
}

/** S3's limit on a key, in bytes of UTF-8. @throws {Refusal} 400 `KeyTooLongError` */
export function checkKey(key: string): void {
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes > 1024)
    throw new Refusal(400, 'KeyTooLongError', 'your key is too long', {
      details: { Size: String(sizeBytes), MaxSizeAllowed: '1024' },
    });
}
