import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CompletedPart,
  type ListMultipartUploadsCommandOutput,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf, freshKey, outcome, outcomeOf, sha256B64, UNHOISTABLE, useTestCloud } from './fixture.ts';

const setup = useTestCloud();
const PART_BYTES = 5 * 1024 * 1024;

async function start(key: string, more: object = { ChecksumAlgorithm: 'SHA256' }) {
  const { s3, bucket } = setup();
  const at = { Bucket: bucket, Key: key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ...more }));
  const upload = { ...at, UploadId };
  return {
    upload,
    part: async (PartNumber: number, body: Uint8Array, with256 = true): Promise<CompletedPart> => {
      const ChecksumSHA256 = with256 ? sha256B64(body) : undefined;
      const { ETag } = await s3.send(
        new UploadPartCommand({ ...upload, PartNumber, Body: body, ChecksumSHA256 }),
      );
      return { PartNumber, ETag, ChecksumSHA256 };
    },
    complete: (Parts: CompletedPart[], also: object = {}) =>
      s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...also })),
  };
}

/** S3's checksum of checksums, from its definition. */
function composite(parts: readonly Uint8Array[]): string {
  const digests = parts.map((part) => createHash('sha256').update(part).digest());
  return `${createHash('sha256').update(Buffer.concat(digests)).digest('base64')}-${String(parts.length)}`;
}

const bodiesOnDisk = () => readdirSync(join(setup().dataFolder, 's3', setup().bucket, 'bodies')).length;

describe('a multipart upload', () => {
  it('becomes one object of its parts with the composite checksum', async () => {
    const { s3, bucket } = setup();
    const key = freshKey('v/x');
    const bodies = [bytesOf(PART_BYTES), bytesOf(PART_BYTES + 1), bytesOf(10)];
    const { part, complete } = await start(key);
    const parts = [await part(3, bodies[2]!), await part(1, bodies[0]!), await part(2, bodies[1]!)];
    parts.sort((a, b) => a.PartNumber! - b.PartNumber!);
    const made = await complete(parts, { IfNoneMatch: '*' });
    const expected = { ChecksumSHA256: composite(bodies), ChecksumType: 'COMPOSITE' };
    expect(made).toMatchObject(expected);
    expect(made.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect(made.VersionId).toBeDefined();
    const at = { Bucket: bucket, Key: key };
    const head = await s3.send(new HeadObjectCommand({ ...at, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ...expected, ETag: made.ETag, ContentLength: 2 * PART_BYTES + 11 });
    const whole = Buffer.concat(bodies);
    const got = await s3.send(new GetObjectCommand(at));
    expect(whole.equals(await got.Body!.transformToByteArray())).toBe(true);
    for (const [first, last] of [
      [PART_BYTES - 1, PART_BYTES],
      [PART_BYTES, PART_BYTES],
      [PART_BYTES - 5, 2 * PART_BYTES + 5],
      [2 * PART_BYTES, 2 * PART_BYTES + 10],
    ] as const) {
      const range = await s3.send(
        new GetObjectCommand({ ...at, Range: `bytes=${String(first)}-${String(last)}` }),
      );
      expect(whole.subarray(first, last + 1).equals(await range.Body!.transformToByteArray())).toBe(true);
    }
    expect(await outcome(complete(parts, { IfNoneMatch: '*' }))).toBe('404 NoSuchUpload');
    expect(await outcome(complete(parts))).toBe('403 AccessDenied');
  });

  it('takes its parts by presigned URL, bound to length and checksum', async () => {
    const { s3 } = setup();
    const { upload, complete } = await start(freshKey());
    const body = bytesOf(1000);
    const command = new UploadPartCommand({
      ...upload,
      PartNumber: 1,
      ContentLength: body.length,
      ChecksumSHA256: sha256B64(body),
    });
    const url = await getSignedUrl(s3, command, { expiresIn: 300, unhoistableHeaders: UNHOISTABLE });
    const put = (bytes: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
      fetch(url, { method: 'PUT', body: new Blob([bytes]), headers });
    const right = { 'x-amz-checksum-sha256': sha256B64(body) };
    expect(await outcomeOf(await put(bytesOf(1000), right))).toBe('400 BadDigest');
    expect(await outcomeOf(await put(bytesOf(999), right))).toBe('403 SignatureDoesNotMatch');
    expect(await outcomeOf(await put(body, {}))).toBe('403 SignatureDoesNotMatch');
    const made = await put(body, right);
    expect(made.headers.get('x-amz-checksum-sha256')).toBe(sha256B64(body));
    const part = { PartNumber: 1, ETag: made.headers.get('etag')!, ChecksumSHA256: sha256B64(body) };
    expect(await complete([part])).toMatchObject({ ChecksumSHA256: composite([body]) });
  });

  it('refuses parts that are not the ones it was given', async () => {
    const { part, complete } = await start(freshKey());
    const one = await part(1, bytesOf(PART_BYTES));
    const two = await part(2, bytesOf(10));
    const other = sha256B64(bytesOf(1));
    expect(await outcome(complete([{ ...one, ETag: '"0"' }, two]))).toBe('400 InvalidPart');
    expect(await outcome(complete([one, { ...two, ChecksumSHA256: other }]))).toBe('400 InvalidPart');
    expect(await outcome(complete([one, { ...two, PartNumber: 3 }]))).toBe('400 InvalidPart');
    expect(await outcome(complete([two, one]))).toBe('400 InvalidPartOrder');
    expect(await outcome(complete([one, one]))).toBe('400 InvalidPartOrder');
    expect(await outcome(complete([]))).toBe('400 MalformedXML');
    expect(await outcome(complete([one, { PartNumber: 2, ETag: two.ETag }]))).toBe('400 InvalidRequest');
    expect(await outcome(complete([one, two], { ChecksumSHA256: other }))).toBe('400 BadDigest');
    expect(await outcome(complete([one, two], { MpuObjectSize: 1 }))).toBe('400 InvalidRequest');
    expect(await outcome(complete([one, two]))).toBe('200 OK');
  });

  it('wants 5 MiB of every part but the last', async () => {
    const { part, complete } = await start(freshKey());
    const small = await part(1, bytesOf(PART_BYTES - 1));
    const last = await part(2, bytesOf(1));
    expect(await outcome(complete([small, last]))).toBe('400 EntityTooSmall');
    const large = await part(1, bytesOf(PART_BYTES));
    expect(await outcome(complete([small, last]))).toBe('400 InvalidPart');
    expect(await outcome(complete([large, last]))).toBe('200 OK');
  });

  it('wants of each part the checksum that it was created with', async () => {
    const { part } = await start(freshKey());
    expect(await outcome(part(1, bytesOf(5), false))).toBe('400 InvalidRequest');
    expect(await outcome(part(0, bytesOf(5)))).toBe('400 InvalidArgument');
    expect(await outcome(part(10_001, bytesOf(5)))).toBe('400 InvalidArgument');
    const plain = await start(freshKey(), {});
    const parts = [await plain.part(10_000, bytesOf(5), false)];
    expect((await plain.complete(parts)).ChecksumSHA256).toBeUndefined();
  });

  it('is gone when it is aborted, with its parts', async () => {
    const { s3 } = setup();
    const { upload, part, complete } = await start(freshKey());
    const before = bodiesOnDisk();
    const parts = [await part(1, bytesOf(100_000))];
    await part(2, bytesOf(100_000));
    await part(2, bytesOf(100_001));
    expect(bodiesOnDisk()).toBe(before + 2);
    await s3.send(new AbortMultipartUploadCommand(upload));
    expect(bodiesOnDisk()).toBe(before);
    expect(await outcome(complete(parts))).toBe('404 NoSuchUpload');
    expect(await outcome(part(1, bytesOf(5)))).toBe('404 NoSuchUpload');
    expect(await outcome(s3.send(new AbortMultipartUploadCommand(upload)))).toBe('404 NoSuchUpload');
    expect(await outcome(s3.send(new ListPartsCommand(upload)))).toBe('404 NoSuchUpload');
  });

  it('keeps of its parts only those that the object is made of', async () => {
    const { part, complete } = await start(freshKey());
    const before = bodiesOnDisk();
    const parts = [await part(1, bytesOf(PART_BYTES))];
    await part(2, bytesOf(1000));
    await complete(parts);
    expect(bodiesOnDisk()).toBe(before + 1);
  });

  it('is no way to copy', async () => {
    const { s3, bucket } = setup();
    const { upload } = await start(freshKey());
    const copy = new UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource: `${bucket}/a/x` });
    expect(await outcome(s3.send(copy))).toBe('403 AccessDenied');
  });
});

describe('listing', () => {
  it('pages through the parts of an upload', async () => {
    const { s3 } = setup();
    const { upload, part } = await start(freshKey());
    const sent = await Promise.all([7, 3, 10_000, 1, 5].map((number) => part(number, bytesOf(number))));
    const seen: unknown[] = [];
    let PartNumberMarker: string | undefined;
    let pages = 0;
    do {
      const page = await s3.send(
        new ListPartsCommand({ ...upload, MaxParts: 2, ...(PartNumberMarker && { PartNumberMarker }) }),
      );
      expect(page).toMatchObject({ ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE', MaxParts: 2 });
      seen.push(
        ...page.Parts!.map(({ PartNumber, ETag, ChecksumSHA256 }) => ({ PartNumber, ETag, ChecksumSHA256 })),
      );
      PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
      pages++;
    } while (PartNumberMarker !== undefined);
    expect(seen).toEqual(sent.sort((a, b) => a.PartNumber! - b.PartNumber!));
    expect(pages).toBe(3);
  });

  it('pages through the uploads under a prefix', async () => {
    const { s3, bucket } = setup();
    const folder = freshKey('uploads');
    const keys = ['a', 'a', 'b', 'c/1', 'c/2', 'd'].map((name) => `${folder}/${name}`);
    const ids: unknown[] = [];
    for (const key of keys) ids.push((await start(key)).upload.UploadId);
    const seen: unknown[] = [];
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (marker) {
      const page: ListMultipartUploadsCommandOutput = await s3.send(
        new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: folder, MaxUploads: 2, ...marker }),
      );
      seen.push(...page.Uploads!.map(({ UploadId }) => UploadId));
      marker = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker!, UploadIdMarker: page.NextUploadIdMarker! }
        : undefined;
    }
    expect(seen.slice(2)).toEqual(ids.slice(2));
    expect(new Set(seen.slice(0, 2))).toEqual(new Set(ids.slice(0, 2)));
    const folded = await s3.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${folder}/`, Delimiter: '/' }),
    );
    expect(folded.CommonPrefixes).toEqual([{ Prefix: `${folder}/c/` }]);
    expect(folded.Uploads).toHaveLength(4);
  });
});
