import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { StartRefused } from '../../../broker/domain/start-refused.ts';
import type { SeenRequest } from '../../support/fault-proxy.ts';
import { row } from '../support/row.ts';
import { setUpHouse } from './support/house.ts';

const house = setUpHouse();

const isCompletion = ({ method, query }: SeenRequest): boolean =>
  method === 'POST' && query.includes('uploadId=');

row(
  'D11',
  {
    attack: 'an S3 that is not what it seems (or an emulator that lies)',
    tried:
      'the local cloud held against AWS’s documented answers to conditional requests; the start’s check held against lies',
  },
  async (t) => {
    const { description } = house.cloud.cloud;
    const Bucket = description.bucket;
    const s3 = new S3Client({
      region: description.region,
      endpoint: description.s3Endpoint,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: description,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    const put = async (Key: string, condition: { IfNoneMatch?: string; IfMatch?: string }, Body = 'x') =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body, ...condition })).then(
        ({ ETag }) => ({ status: 200, etag: ETag ?? '' }),
        (error: unknown) => ({
          status: (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0,
          etag: '',
        }),
      );
    const fresh = () => `conformance/${randomBytes(8).toString('hex')}`;
    const here = async () => {
      const Key = fresh();
      return { Key, etag: (await put(Key, {})).etag };
    };
    const deleted = async () => {
      const { Key, etag } = await here();
      await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      return { Key, etag };
    };
    const complete = async (Key: string, IfNoneMatch: string | undefined) => {
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const { ETag } = await s3.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }),
      );
      return s3
        .send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            ...(IfNoneMatch && { IfNoneMatch }),
            MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
          }),
        )
        .then(
          () => 200,
          (error: unknown) =>
            (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0,
        );
    };
    // "Prevent object overwrites with conditional writes", Amazon S3 User Guide.
    const cases: readonly (readonly [string, number, () => Promise<number>])[] = [
      ['If-None-Match of what is absent', 200, async () => (await put(fresh(), { IfNoneMatch: '*' })).status],
      [
        'If-None-Match of what is there',
        412,
        async () => (await put((await here()).Key, { IfNoneMatch: '*' })).status,
      ],
      [
        'If-None-Match of what was deleted',
        200,
        async () => (await put((await deleted()).Key, { IfNoneMatch: '*' })).status,
      ],
      [
        'If-None-Match with an ETag',
        501,
        async () => (await put((await here()).Key, { IfNoneMatch: '"x"' })).status,
      ],
      [
        'If-Match of the newest',
        200,
        async () => {
          const { Key, etag } = await here();
          return (await put(Key, { IfMatch: etag })).status;
        },
      ],
      [
        'If-Match without quotes',
        200,
        async () => {
          const { Key, etag } = await here();
          return (await put(Key, { IfMatch: etag.replaceAll('"', '') })).status;
        },
      ],
      [
        'If-Match of an older one',
        412,
        async () => {
          const { Key, etag } = await here();
          await put(Key, {}, 'y');
          return (await put(Key, { IfMatch: etag })).status;
        },
      ],
      ['If-Match of what is absent', 404, async () => (await put(fresh(), { IfMatch: '"0123"' })).status],
      [
        'If-Match of what was deleted',
        404,
        async () => {
          const { Key, etag } = await deleted();
          return (await put(Key, { IfMatch: etag })).status;
        },
      ],
      ['completion over what is there', 412, async () => complete((await here()).Key, '*')],
      ['completion of what is absent', 200, async () => complete(fresh(), '*')],
      ['completion without a condition', 200, async () => complete((await here()).Key, undefined)],
      [
        '16 creations at once',
        1,
        async () => {
          const Key = fresh();
          const all = await Promise.all(Array.from({ length: 16 }, () => put(Key, { IfNoneMatch: '*' })));
          return all.filter(({ status }) => status === 200).length;
        },
      ],
      [
        '16 replacements at once',
        1,
        async () => {
          const { Key, etag } = await here();
          const all = await Promise.all(
            Array.from({ length: 16 }, (_, n) => put(Key, { IfMatch: etag }, String(n))),
          );
          return all.filter(({ status }) => status === 200).length;
        },
      ],
      [
        'an ETag that comes back with its bytes',
        200,
        async () => {
          const { Key, etag } = await here();
          await put(Key, {}, 'y');
          await put(Key, {}, 'x');
          return (await put(Key, { IfMatch: etag })).status;
        },
      ],
    ];
    for (const [name, expected, run] of cases) {
      expect([name, await run()]).toEqual([name, expected]);
      t.vary(1);
    }
    s3.destroy();

    // Each lie: what should be refused is answered as if it had been done.
    const lies: readonly ((request: SeenRequest, nth: number) => boolean)[] = [
      ({ method }, nth) => method === 'PUT' && nth % 2 === 1,
      ({ method }) => method === 'PUT',
      isCompletion,
      ({ method, query }) => method === 'GET' && query.includes('X-Amz-Signature'),
    ];
    for (const lie of lies) {
      let nth = 0;
      house.proxy.fault = (request) => {
        if (!request.path.includes('/broker/conformance/') || !lie(request, nth++)) return undefined;
        return { kind: 'answer', status: 200, body: '<Ok><ETag>"e"</ETag></Ok>' };
      };
      const outcome = await house
        .connect()
        .conformance()
        .then(
          () => 'taken',
          (error: unknown) => (error instanceof StartRefused ? error.code : 'other'),
        );
      expect(outcome).toBe('store_unfit');
      t.refused(outcome);
      t.vary(1);
    }
    house.proxy.fault = () => undefined;
    await house.connect().conformance();
  },
);
