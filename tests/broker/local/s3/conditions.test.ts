import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { freshKey, outcome, outcomeOf, useTestCloud } from './fixture.ts';

const setup = useTestCloud();

const put = (key: string, body: string, more: object = {}) =>
  setup().s3.send(new PutObjectCommand({ Bucket: setup().bucket, Key: key, Body: body, ...more }));
const remove = (key: string) =>
  setup().s3.send(new DeleteObjectCommand({ Bucket: setup().bucket, Key: key }));
const textAt = async (key: string) => {
  const got = await setup().s3.send(new GetObjectCommand({ Bucket: setup().bucket, Key: key }));
  return got.Body!.transformToString();
};

/** An upload of one part, ready to be completed. */
async function readyUpload(key: string, body: string): Promise<(more: object) => Promise<unknown>> {
  const { s3, bucket } = setup();
  const at = { Bucket: bucket, Key: key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
  const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: body }));
  const parts = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
  return (more) => s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, ...parts, ...more }));
}

describe('If-None-Match: *', () => {
  it('makes an object that is absent, and no other', async () => {
    const key = freshKey();
    expect(await outcome(put(key, '1', { IfNoneMatch: '*' }))).toBe('200 OK');
    expect(await outcome(put(key, '2', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await textAt(key)).toBe('1');
  });

  it('counts a delete marker as absent', async () => {
    const key = freshKey();
    await put(key, '1');
    await remove(key);
    expect(await outcome(put(key, '2', { IfNoneMatch: '*' }))).toBe('200 OK');
    expect(await textAt(key)).toBe('2');
  });

  it('holds for the completion of an upload, which stays when it is refused', async () => {
    const key = freshKey();
    const complete = await readyUpload(key, 'upload');
    await put(key, '1');
    expect(await outcome(complete({ IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await textAt(key)).toBe('1');
    await remove(key);
    expect(await outcome(complete({ IfNoneMatch: '*' }))).toBe('200 OK');
    expect(await textAt(key)).toBe('upload');
  });

  it('takes nothing but the star', async () => {
    expect(await outcome(put(freshKey(), '1', { IfNoneMatch: '"x"' }))).toBe('501 NotImplemented');
  });
});

describe('If-Match', () => {
  it('replaces exactly the version that it names', async () => {
    const key = freshKey();
    const { ETag: first } = await put(key, '1');
    expect(first).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await outcome(put(key, '2', { IfMatch: first }))).toBe('200 OK');
    expect(await outcome(put(key, '3', { IfMatch: first }))).toBe('412 PreconditionFailed');
    expect(await textAt(key)).toBe('2');
  });

  it('finds nothing to match where the key is absent or deleted', async () => {
    const key = freshKey();
    expect(await outcome(put(key, '1', { IfMatch: '"x"' }))).toBe('404 NoSuchKey');
    const { ETag: etag } = await put(key, '1');
    await remove(key);
    expect(await outcome(put(key, '2', { IfMatch: etag }))).toBe('404 NoSuchKey');
  });

  it('holds for the completion of an upload', async () => {
    const key = freshKey();
    const complete = await readyUpload(key, 'upload');
    expect(await outcome(complete({ IfMatch: '"x"' }))).toBe('404 NoSuchKey');
    const { ETag: etag } = await put(key, '1');
    expect(await outcome(complete({ IfMatch: '"x"' }))).toBe('412 PreconditionFailed');
    expect(await outcome(complete({ IfMatch: etag }))).toBe('200 OK');
    expect(await textAt(key)).toBe('upload');
  });
});

describe('exactly one writer wins', () => {
  const WRITERS = 32;
  const writers = Array.from({ length: WRITERS }, (_, index) => index);
  // Bodies on both sides of where they move to files of their own.
  const bodyOf = (index: number) => `${String(index)} `.repeat(index % 2 ? 1 : 40_000);
  const tally = (outcomes: readonly string[]) => [
    outcomes.filter((one) => one === '200 OK').length,
    outcomes.filter((one) => one === '412 PreconditionFailed').length,
  ];

  it.each(['an absent key', 'a deleted key'])('of those that create %s', async (which) => {
    const key = freshKey();
    if (which === 'a deleted key') {
      await put(key, 'old');
      await remove(key);
    }
    const outcomes = await Promise.all(
      writers.map((n) => outcome(put(key, bodyOf(n), { IfNoneMatch: '*' }))),
    );
    expect(tally(outcomes)).toEqual([1, WRITERS - 1]);
    expect(await textAt(key)).toBe(bodyOf(outcomes.indexOf('200 OK')));
  });

  it('of those that replace a version', async () => {
    const key = freshKey();
    let { ETag: etag } = await put(key, 'start');
    for (let round = 0; round < 4; round++) {
      const bodies = writers.map((n) => `${String(round)}:${bodyOf(n)}`);
      const tagged = etag;
      const outcomes = await Promise.all(bodies.map((body) => outcome(put(key, body, { IfMatch: tagged }))));
      expect(tally(outcomes)).toEqual([1, WRITERS - 1]);
      expect(await textAt(key)).toBe(bodies[outcomes.indexOf('200 OK')]);
      const { s3, bucket } = setup();
      ({ ETag: etag } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
    }
    const { s3, bucket } = setup();
    const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }));
    expect(Versions).toHaveLength(5);
  });

  it('of uploads that complete beside writers that put', async () => {
    const key = freshKey();
    const completions = await Promise.all(
      writers.slice(0, 8).map((n) => readyUpload(key, `upload ${String(n)}`)),
    );
    const outcomes = await Promise.all([
      ...completions.map((complete) => outcome(complete({ IfNoneMatch: '*' }))),
      ...writers.slice(8).map((n) => outcome(put(key, bodyOf(n), { IfNoneMatch: '*' }))),
    ]);
    expect(tally(outcomes)).toEqual([1, WRITERS - 1]);
  });
});

describe('a large body that is refused', () => {
  const sizeBytes = 12_000_000;

  it.each([
    ['412 PreconditionFailed', '*', true],
    ['403 SignatureDoesNotMatch', '*x', true],
    ['403 AccessDenied', undefined, false],
  ])('still gets to read %s', async (expected, ifNoneMatch, isSigned) => {
    const { s3, bucket } = setup();
    const key = freshKey('v/x');
    await put(key, '1', { IfNoneMatch: '*' });
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      ContentLength: sizeBytes,
      ...(isSigned && { IfNoneMatch: '*' }),
    });
    const headers = ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch };
    const body = new Blob([new Uint8Array(sizeBytes)]);
    const response = await fetch(await getSignedUrl(s3, command, { expiresIn: 60 }), {
      method: 'PUT',
      headers,
      body,
    });
    expect(await outcomeOf(response)).toBe(expected);
    expect(await textAt(key)).toBe('1');
  });
});
