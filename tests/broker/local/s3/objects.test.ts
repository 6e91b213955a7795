import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  CreateBucketCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { Agent, request } from 'node:http';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesOf, clientOf, freshKey, outcome, outcomeOf, sha256B64, useTestCloud } from './fixture.ts';

const setup = useTestCloud();

const put = (key: string, body: Uint8Array | string, more: object = {}) =>
  setup().s3.send(new PutObjectCommand({ Bucket: setup().bucket, Key: key, Body: body, ...more }));
/** Reads an object to its end, so that no connection is left with half an answer. */
const get = async (key: string, more: object = {}) => {
  const got = await setup().s3.send(new GetObjectCommand({ Bucket: setup().bucket, Key: key, ...more }));
  return { ...got, bytes: await got.Body!.transformToByteArray() };
};
const bytesAt = async (key: string, more: object = {}) => (await get(key, more)).bytes;
const crc32B64 = (bytes: Uint8Array) => {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
};

describe('an object', () => {
  // 64 KiB is where bodies move from the log to files of their own, 1 MiB what is written at once.
  it.each([0, 1, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577, 9_000_001])(
    'of %i bytes reads back whole',
    async (sizeBytes) => {
      const key = freshKey();
      const body = bytesOf(sizeBytes);
      await put(key, body);
      expect(Buffer.compare(await bytesAt(key), body)).toBe(0);
      const head = await setup().s3.send(new HeadObjectCommand({ Bucket: setup().bucket, Key: key }));
      expect(head.ContentLength).toBe(sizeBytes);
    },
  );

  it('keeps its content type and user metadata, and has the MD5 of its bytes as ETag', async () => {
    const key = freshKey();
    const made = await put(key, 'hello', {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { name: 'a  b', other: 'x' },
    });
    expect(made.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
    const got = await get(key);
    expect(got).toMatchObject({ ContentType: 'text/plain', CacheControl: 'no-store', ETag: made.ETag });
    expect(got.Metadata).toEqual({ name: 'a  b', other: 'x' });
    expect(got.VersionId).toBe(made.VersionId);
    expect((await get(key, { ResponseContentType: 'image/png' })).ContentType).toBe('image/png');
  });

  it('may have any key that is not empty', async () => {
    const path = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(path, async (name) => {
        // A `.` or `..` that stands alone is taken out of paths by every HTTP client.
        const key = `any/-${name.replaceAll('/', '/-')}`;
        await put(key, key);
        expect(Buffer.from(await bytesAt(key)).toString()).toBe(key);
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('refuses more than 2 KiB of metadata, keys beyond 1024 bytes, and what would be a lie to accept', async () => {
    const { bucket, s3 } = setup();
    const send = (more: object, key = freshKey()) =>
      outcome(s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x', ...more })));
    expect(await send({ Metadata: { a: 'x'.repeat(2047) } })).toBe('200 OK');
    expect(await send({ Metadata: { a: 'x'.repeat(2048) } })).toBe('400 MetadataTooLarge');
    expect(await send({}, `a/${'é'.repeat(511)}`)).toBe('200 OK');
    expect(await send({}, `a/${'é'.repeat(511)}x`)).toBe('400 KeyTooLongError');
    expect(await send({ ServerSideEncryption: 'aws:kms' })).toBe('501 NotImplemented');
    expect(await send({ StorageClass: 'GLACIER' })).toBe('501 NotImplemented');
    expect(await send({ SSECustomerAlgorithm: 'AES256' })).toBe('403 AccessDenied');
    expect(await outcome(s3.send(new PutObjectCommand({ Bucket: 'none', Key: 'x', Body: 'x' })))).toBe(
      '404 NoSuchBucket',
    );
  });

  it('cannot be copied', async () => {
    const key = freshKey();
    await put(key, 'x');
    const { bucket, s3 } = setup();
    const copy = new CopyObjectCommand({ Bucket: bucket, Key: freshKey(), CopySource: `${bucket}/${key}` });
    expect(await outcome(s3.send(copy))).toBe('403 AccessDenied');
  });

  it('that is absent, or refused, costs no connection: the next request goes over the same one', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    const ask = (method: string, url: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(url, { method, agent }, (response) => {
          ports.add(response.socket.localPort);
          response.resume().once('end', () => {
            resolve(response.statusCode);
          });
        });
        sent.once('error', reject).end();
      });
    const absent = { Bucket: setup().bucket, Key: freshKey() };
    for (let n = 0; n < 5; n++) {
      const head = await getSignedUrl(setup().s3, new HeadObjectCommand(absent));
      expect(await ask('HEAD', head)).toBe(404);
      expect(await ask('GET', await getSignedUrl(setup().s3, new GetObjectCommand(absent)))).toBe(404);
      expect(await ask('HEAD', head.replace('X-Amz-Signature=', 'X-Amz-Signature=0'))).toBe(403);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  it('under v/ cannot be made without If-None-Match', async () => {
    expect(await outcome(put(freshKey('v/x'), 'x'))).toBe('403 AccessDenied');
    expect(await outcome(put(freshKey('v/x'), 'x', { IfNoneMatch: '*' }))).toBe('200 OK');
  });
});

describe('a range', () => {
  const body = bytesOf(200_000);

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=0-', 0, 200_000],
    ['bytes=10-19', 10, 20],
    ['bytes=199999-', 199_999, 200_000],
    ['bytes=199999-300000', 199_999, 200_000],
    ['bytes=-1', 199_999, 200_000],
    ['bytes=-200000', 0, 200_000],
    ['bytes=-999999', 0, 200_000],
  ])('%s is answered with 206', async (range, start, end) => {
    const key = freshKey();
    await put(key, body);
    const got = await get(key, { Range: range });
    expect(got.$metadata.httpStatusCode).toBe(206);
    expect(got.ContentRange).toBe(`bytes ${String(start)}-${String(end - 1)}/200000`);
    expect(Buffer.compare(got.bytes, body.subarray(start, end))).toBe(0);
  });

  it.each(['bytes=200000-', 'bytes=200000-200001', 'bytes=-0'])('%s is answered with 416', async (range) => {
    const { s3, bucket } = setup();
    const key = freshKey();
    await put(key, body);
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }));
    const response = await fetch(url, { headers: { range } });
    expect(response.headers.get('content-range')).toBe('bytes */200000');
    expect(await outcomeOf(response)).toBe('416 InvalidRange');
  });

  it.each(['bytes=5-4', 'bytes=x', 'lines=1-2', 'bytes=0-1,3-4', 'bytes=-'])(
    '%s is ignored',
    async (range) => {
      const { s3, bucket } = setup();
      const key = freshKey();
      await put(key, body);
      const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }));
      const response = await fetch(url, { headers: { range } });
      expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 200_000]);
    },
  );

  it('of an empty object is 416, and If-Range of another version yields the whole', async () => {
    const { s3, bucket } = setup();
    const key = freshKey();
    await put(key, '');
    expect(await outcome(get(key, { Range: 'bytes=0-' }))).toBe('416 InvalidRange');
    await put(key, 'hello');
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }));
    const whole = await fetch(url, { headers: { range: 'bytes=1-2', 'if-range': '"other"' } });
    expect([whole.status, await whole.text()]).toEqual([200, 'hello']);
  });

  it('agrees with slices, whatever the range', async () => {
    const { s3, bucket } = setup();
    const key = freshKey();
    await put(key, body);
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }));
    const place = fc.integer({ min: 0, max: 199_999 });
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const response = await fetch(url, { headers: { range: `bytes=${String(first)}-${String(last)}` } });
        const got = Buffer.from(await response.arrayBuffer());
        expect(got.equals(body.subarray(first, last + 1))).toBe(true);
      }),
      { seed: 1, numRuns: 40 },
    );
  });
});

describe('a read condition', () => {
  it('is held against the ETag and the time', async () => {
    const key = freshKey();
    const { ETag: etag } = await put(key, 'x');
    const future = new Date(Date.now() + 60_000);
    const past = new Date(Date.now() - 60_000);
    expect(await outcome(get(key, { IfMatch: etag }))).toBe('200 OK');
    expect(await outcome(get(key, { IfMatch: '"other"' }))).toBe('412 PreconditionFailed');
    expect(await outcome(get(key, { IfNoneMatch: '"other"' }))).toBe('200 OK');
    expect(await outcome(get(key, { IfNoneMatch: etag }))).toMatch(/^304/);
    expect(await outcome(get(key, { IfModifiedSince: past }))).toBe('200 OK');
    expect(await outcome(get(key, { IfModifiedSince: future }))).toMatch(/^304/);
    expect(await outcome(get(key, { IfUnmodifiedSince: past }))).toBe('412 PreconditionFailed');
  });
});

describe('a checksum', () => {
  it.each([10, 100_000, 3_000_000])(
    'of %i bytes is verified, kept and returned when asked for',
    async (sizeBytes) => {
      const body = bytesOf(sizeBytes);
      for (const checksum of [{ ChecksumSHA256: sha256B64(body) }, { ChecksumCRC32: crc32B64(body) }]) {
        const key = freshKey();
        expect(await put(key, body, checksum)).toMatchObject({ ...checksum, ChecksumType: 'FULL_OBJECT' });
        expect(await get(key, { ChecksumMode: 'ENABLED' })).toMatchObject(checksum);
        const { s3, bucket } = setup();
        const head = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
        expect(await s3.send(head)).toMatchObject(checksum);
        expect((await get(key)).ChecksumSHA256).toBeUndefined();
      }
    },
  );

  it.each([10, 3_000_000])('that does not fit %i bytes leaves no object', async (sizeBytes) => {
    const key = freshKey();
    const body = bytesOf(sizeBytes);
    const other = bytesOf(sizeBytes);
    expect(await outcome(put(key, body, { ChecksumSHA256: sha256B64(other) }))).toBe('400 BadDigest');
    expect(await outcome(put(key, body, { ChecksumCRC32: crc32B64(other) }))).toBe('400 BadDigest');
    expect(await outcome(put(key, body, { ContentMD5: Buffer.alloc(16).toString('base64') }))).toBe(
      '400 BadDigest',
    );
    expect(await outcome(put(key, body, { ContentMD5: 'x' }))).toBe('400 InvalidDigest');
    expect(await outcome(put(key, body, { ChecksumSHA256: 'x' }))).toBe('400 InvalidRequest');
    expect(await outcome(get(key))).toBe('404 NoSuchKey');
  });

  it('is what the SDK sends and verifies by default', async () => {
    const { cloud, bucket } = setup();
    const client = clientOf(cloud, {
      requestChecksumCalculation: 'WHEN_SUPPORTED',
      responseChecksumValidation: 'WHEN_SUPPORTED',
    });
    const key = freshKey();
    const body = bytesOf(500_000);
    const made = await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    expect(made.ChecksumCRC32).toBe(crc32B64(body));
    const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    expect(Buffer.compare(await got.Body!.transformToByteArray(), body)).toBe(0);
  });
});

describe('versioning', () => {
  it('keeps every version, and hides them behind a delete marker', async () => {
    const { s3, bucket } = setup();
    const key = freshKey();
    const first = await put(key, 'first');
    const second = await put(key, 'second');
    expect(first.VersionId).not.toBe(second.VersionId);
    expect(Buffer.from(await bytesAt(key)).toString()).toBe('second');
    expect(Buffer.from(await bytesAt(key, { VersionId: first.VersionId })).toString()).toBe('first');
    const removed = await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    expect(removed.DeleteMarker).toBe(true);
    expect(await outcome(get(key))).toBe('404 NoSuchKey');
    expect(await outcome(get(key, { VersionId: removed.VersionId }))).toBe('405 MethodNotAllowed');
    expect(Buffer.from(await bytesAt(key, { VersionId: second.VersionId })).toString()).toBe('second');
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: removed.VersionId }));
    expect(Buffer.from(await bytesAt(key)).toString()).toBe('second');
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: second.VersionId }));
    expect(Buffer.from(await bytesAt(key)).toString()).toBe('first');
    expect(await outcome(get(key, { VersionId: second.VersionId }))).toBe('404 NoSuchVersion');
  });

  it('deletes many at once, and says which it may not', async () => {
    const { s3, bucket } = setup();
    const keys = ['a & b', '<c>', '"d"', 'e\r\n'].map((name) => `${freshKey()}${name}`);
    const versions = await Promise.all(keys.map((key) => put(key, 'x')));
    const objects = keys.map((Key, index) => ({ Key, VersionId: versions[index]?.VersionId }));
    const result = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects }, ChecksumAlgorithm: 'SHA256' }),
    );
    expect(result.Deleted?.map(({ Key }) => Key)).toEqual(keys);
    for (const key of keys) expect(await outcome(get(key))).toBe('404 NoSuchKey');
    const quiet = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: 'none' }], Quiet: true } }),
    );
    expect(quiet.Deleted).toBeUndefined();
  });

  it('of a bucket without it replaces and removes', async () => {
    const { s3 } = setup();
    await s3.send(new CreateBucketCommand({ Bucket: 'plain' }));
    const send = (body: string) => s3.send(new PutObjectCommand({ Bucket: 'plain', Key: 'k', Body: body }));
    const read = async () => {
      const got = await s3.send(new GetObjectCommand({ Bucket: 'plain', Key: 'k' }));
      return [await got.Body!.transformToString(), got.VersionId];
    };
    expect((await send('1')).VersionId).toBeUndefined();
    await send('2');
    expect(await read()).toEqual(['2', undefined]);
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: 'plain', VersioningConfiguration: { Status: 'Enabled' } }),
    );
    await send('3');
    const old = await s3.send(new GetObjectCommand({ Bucket: 'plain', Key: 'k', VersionId: 'null' }));
    expect(await old.Body!.transformToString()).toBe('2');
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: 'plain', VersioningConfiguration: { Status: 'Suspended' } }),
    );
    await send('4');
    expect(await read()).toEqual(['4', 'null']);
  });
});
