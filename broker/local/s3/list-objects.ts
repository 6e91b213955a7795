import { invalidArgument } from '../refusal.ts';
import type { BucketIndex } from '../store/bucket-index.ts';
import { compareKeys } from '../store/key-list.ts';
import { sequenceOf, type VersionFacts } from '../store/version.ts';
import { demand, type Context, type Operation, type S3Call } from './call.ts';
import { type Line, page, parseListing, seekBehind, walk } from './listing.ts';
import { element, group, xmlDocument } from './xml.ts';

const quoted = (etag: string): string => `"${etag}"`;
const commonPrefix = (prefix: string): string => group('CommonPrefixes', element('Prefix', prefix));

const listContext = ({ query }: S3Call): Context => ({
  's3:prefix': query.get('prefix'),
  's3:delimiter': query.get('delimiter'),
  's3:max-keys': query.get('max-keys'),
});

export const listObjectsV2: Operation = async (call, world) => {
  demand(call, world, 's3:ListBucket', listContext(call));
  const { index } = world.store.get(call.bucketName);
  const request = parseListing(call.query, 'max-keys');
  const token = call.query.get('continuation-token');
  const startAfter = call.query.get('start-after');
  const after =
    token === undefined ? startAfter && { kind: 'key' as const, name: startAfter } : decodeToken(token);
  const isListed = (key: string) => index.current(key)?.facts.deleteMarker === false;
  const lines = walk(index.keys, request, after ? seekBehind(index.keys, after) : 0, isListed);
  const { items, truncated } = page(lines, request.maximum);
  const last = items.at(-1);
  const owner = call.query.get('fetch-owner') === 'true' ? group('Owner', element('ID', 'local')) : '';
  const xml = xmlDocument(
    'ListBucketResult',
    element('Name', call.bucketName),
    element('Prefix', request.write(request.prefix)),
    element('Delimiter', request.delimiter === '' ? undefined : request.write(request.delimiter)),
    element('MaxKeys', request.maximum),
    element('EncodingType', request.encoding),
    element('KeyCount', items.length),
    element('IsTruncated', truncated),
    element('ContinuationToken', token),
    element('NextContinuationToken', truncated && last ? encodeToken(last) : undefined),
    element('StartAfter', startAfter === undefined ? undefined : request.write(startAfter)),
    ...items.map(({ kind, name }) =>
      kind === 'prefix'
        ? commonPrefix(request.write(name))
        : contents(index, name, request.write(name), owner),
    ),
  );
  return Promise.resolve({ status: 200, xml });
};

function contents(index: BucketIndex, key: string, written: string, owner: string): string {
  const version = index.current(key);
  if (!version) return '';
  return group('Contents', element('Key', written), ...facts(version.facts), owner);
}

const facts = ({ modifiedMs, etag, checksum, sizeBytes }: VersionFacts): string[] => [
  element('LastModified', new Date(modifiedMs).toISOString()),
  element('ETag', quoted(etag)),
  element('ChecksumAlgorithm', checksum?.algorithm),
  element('ChecksumType', checksum?.type),
  element('Size', sizeBytes),
  element('StorageClass', 'STANDARD'),
];

const encodeToken = ({ kind, name }: Line): string => Buffer.from(`${kind}:${name}`).toString('base64url');

function decodeToken(token: string): Line {
  const match = /^(key|prefix):(.*)$/s.exec(Buffer.from(token, 'base64url').toString('utf8'));
  if (!match) throw invalidArgument('the continuation token provided is incorrect', 'continuation-token');
  return { kind: match[1] === 'prefix' ? 'prefix' : 'key', name: match[2] ?? '' };
}

type VersionLine =
  Line | { readonly kind: 'version'; readonly facts: VersionFacts; readonly isLatest: boolean };

export const listObjectVersions: Operation = async (call, world) => {
  demand(call, world, 's3:ListBucketVersions', listContext(call));
  const { index } = world.store.get(call.bucketName);
  const request = parseListing(call.query, 'max-keys');
  const keyMarker = call.query.get('key-marker');
  const versionMarker = call.query.get('version-id-marker');
  if (versionMarker !== undefined && keyMarker === undefined)
    throw invalidArgument(
      'a version-id marker cannot be specified without a key marker',
      'version-id-marker',
    );
  const { items, truncated } = page(versionLines(), request.maximum);
  const last = items.at(-1);
  const next = truncated ? last : undefined;
  const xml = xmlDocument(
    'ListVersionsResult',
    element('Name', call.bucketName),
    element('Prefix', request.write(request.prefix)),
    element('KeyMarker', request.write(keyMarker ?? '')),
    element('VersionIdMarker', versionMarker ?? ''),
    element('NextKeyMarker', next && request.write(next.kind === 'version' ? next.facts.key : next.name)),
    element('NextVersionIdMarker', next?.kind === 'version' ? next.facts.versionId : undefined),
    element('MaxKeys', request.maximum),
    element('Delimiter', request.delimiter === '' ? undefined : request.write(request.delimiter)),
    element('EncodingType', request.encoding),
    element('IsTruncated', truncated),
    ...items.map((line) =>
      line.kind === 'version' ? version(line) : commonPrefix(request.write(line.name)),
    ),
  );
  return Promise.resolve({ status: 200, xml });

  function* versionLines(): Generator<VersionLine> {
    const keyIndex = keyMarker === undefined ? 0 : index.keys.seek(keyMarker, versionMarker === undefined);
    for (const line of walk(index.keys, request, keyIndex, () => true)) {
      if (line.kind === 'prefix') {
        if (keyMarker === undefined || compareKeys(line.name, keyMarker) > 0) yield line;
        continue;
      }
      const marker = line.name === keyMarker ? versionMarker : undefined;
      const all = index.versionsOf(line.name);
      for (const { facts } of marker === undefined ? all : behind(all, marker))
        yield { kind: 'version', facts, isLatest: facts === all[0]?.facts };
    }
  }

  function version({ facts: found, isLatest }: { facts: VersionFacts; isLatest: boolean }): string {
    return group(
      found.deleteMarker ? 'DeleteMarker' : 'Version',
      element('Key', request.write(found.key)),
      element('VersionId', found.versionId),
      element('IsLatest', isLatest),
      ...(found.deleteMarker
        ? [element('LastModified', new Date(found.modifiedMs).toISOString())]
        : facts(found)),
      group('Owner', element('ID', 'local')),
    );
  }
};

// The version that a page ended with may have been deleted since: its id says where it stood.
function behind<T extends { readonly facts: VersionFacts }>(
  versions: readonly T[],
  marker: string,
): readonly T[] {
  const index = versions.findIndex(({ facts }) => facts.versionId === marker);
  if (index >= 0) return versions.slice(index + 1);
  const sequence = sequenceOf(marker);
  return sequence === undefined ? [] : versions.filter((version) => version.facts.sequence < sequence);
}
