import { invalidArgument } from '../refusal.ts';
import { compareKeys, KeyList } from '../store/key-list.ts';
import type { Part, UploadFacts } from '../store/version.ts';
import { demand, type Operation } from './call.ts';
import { type Line, page, parseListing, walk } from './listing.ts';
import { element, group, xmlDocument } from './xml.ts';

const OWNERS = [group('Initiator', element('ID', 'local')), group('Owner', element('ID', 'local'))];

type UploadLine = Line | { readonly kind: 'upload'; readonly facts: UploadFacts };

export const listMultipartUploads: Operation = async (call, world) => {
  demand(call, world, 's3:ListBucketMultipartUploads', { 's3:prefix': call.query.get('prefix') });
  const bucket = world.store.get(call.bucketName);
  const request = parseListing(call.query, 'max-uploads');
  const keyMarker = call.query.get('key-marker');
  // Without a key marker S3 ignores it.
  const idMarker = keyMarker === undefined ? undefined : call.query.get('upload-id-marker');
  const byKey = new Map<string, UploadFacts[]>();
  for (const { facts } of bucket.index.uploads())
    byKey.set(facts.key, [...(byKey.get(facts.key) ?? []), facts]);
  const keys = new KeyList();
  keys.load(byKey.keys());
  const { items, truncated } = page(lines(), request.maximum);
  const last = truncated ? items.at(-1) : undefined;
  const xml = xmlDocument(
    'ListMultipartUploadsResult',
    element('Bucket', call.bucketName),
    element('KeyMarker', request.write(keyMarker ?? '')),
    element('UploadIdMarker', idMarker ?? ''),
    element('NextKeyMarker', last && request.write(last.kind === 'upload' ? last.facts.key : last.name)),
    element('NextUploadIdMarker', last?.kind === 'upload' ? last.facts.uploadId : undefined),
    element('Prefix', request.write(request.prefix)),
    element('Delimiter', request.delimiter === '' ? undefined : request.write(request.delimiter)),
    element('EncodingType', request.encoding),
    element('MaxUploads', request.maximum),
    element('IsTruncated', truncated),
    ...items.map((line) =>
      line.kind === 'upload'
        ? upload(line.facts)
        : group('CommonPrefixes', element('Prefix', request.write(line.name))),
    ),
  );
  return Promise.resolve({ status: 200, xml });

  function* lines(): Generator<UploadLine> {
    const from = keyMarker === undefined ? 0 : keys.seek(keyMarker, idMarker === undefined);
    for (const line of walk(keys, request, from, () => true)) {
      if (line.kind === 'prefix') {
        if (keyMarker === undefined || compareKeys(line.name, keyMarker) > 0) yield line;
        continue;
      }
      // An id order of its own, so that a page can follow one that has ended since.
      const ids = (byKey.get(line.name) ?? []).sort((a, b) => (a.uploadId < b.uploadId ? -1 : 1));
      for (const facts of ids)
        if (line.name !== keyMarker || idMarker === undefined || facts.uploadId > idMarker)
          yield { kind: 'upload', facts };
    }
  }

  function upload({ key, uploadId, initiatedMs, checksumAlgorithm }: UploadFacts): string {
    return group(
      'Upload',
      element('Key', request.write(key)),
      element('UploadId', uploadId),
      ...OWNERS,
      element('StorageClass', 'STANDARD'),
      element('Initiated', new Date(initiatedMs).toISOString()),
      element('ChecksumAlgorithm', checksumAlgorithm),
      element('ChecksumType', checksumAlgorithm && 'COMPOSITE'),
    );
  }
};

export const listParts: Operation = async (call, world) => {
  demand(call, world, 's3:ListMultipartUploadParts');
  const { facts, parts } = world.store
    .get(call.bucketName)
    .upload(call.query.get('uploadId') ?? '', call.key);
  const request = parseListing(call.query, 'max-parts');
  const marker = call.query.get('part-number-marker') ?? '0';
  if (!/^\d{1,9}$/.test(marker)) throw invalidArgument('expected a number', 'part-number-marker');
  const behind = [...parts.values()]
    .filter(({ partNumber }) => partNumber > Number(marker))
    .sort((a, b) => a.partNumber - b.partNumber);
  const { items, truncated } = page(behind, request.maximum);
  const xml = xmlDocument(
    'ListPartsResult',
    element('Bucket', call.bucketName),
    element('Key', request.write(facts.key)),
    element('UploadId', facts.uploadId),
    ...OWNERS,
    element('StorageClass', 'STANDARD'),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', items.at(-1)?.partNumber ?? marker),
    element('MaxParts', request.maximum),
    element('EncodingType', request.encoding),
    element('IsTruncated', truncated),
    element('ChecksumAlgorithm', facts.checksumAlgorithm),
    element('ChecksumType', facts.checksumAlgorithm && 'COMPOSITE'),
    ...items.map(part),
  );
  return Promise.resolve({ status: 200, xml });
};

const part = ({ partNumber, modifiedMs, etag, file, checksum }: Part): string =>
  group(
    'Part',
    element('PartNumber', partNumber),
    element('LastModified', new Date(modifiedMs).toISOString()),
    element('ETag', `"${etag}"`),
    element('Size', file.sizeBytes),
    checksum ? element(`Checksum${checksum.algorithm}`, checksum.value) : '',
  );
