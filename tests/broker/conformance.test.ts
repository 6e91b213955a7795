import { ListMultipartUploadsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FaultProxy, type SeenRequest, startFaultProxy } from '../support/fault-proxy.ts';
import { setUpVaultCloud } from '../support/set-up-vaults.ts';

const world = setUpVaultCloud();
let proxy: FaultProxy;

beforeAll(async () => {
  proxy = await startFaultProxy(world.cloud.endpoint);
});
afterEach(() => {
  proxy.fault = () => undefined;
});
afterAll(async () => {
  await proxy.close();
});

const check = (): Promise<void> => world.connect({ s3Endpoint: proxy.endpoint }).conformance();

/** What is left in the bucket of a check. */
async function remains(): Promise<number> {
  const Bucket = world.place.bucket;
  const scratch = { Bucket, Prefix: 'broker/conformance/' };
  const objects = await world.admin.send(new ListObjectVersionsCommand(scratch));
  const uploads = await world.admin.send(new ListMultipartUploadsCommand({ Bucket }));
  const found = [objects.Versions, objects.DeleteMarkers, uploads.Uploads];
  return found.reduce((sum, list) => sum + (list?.length ?? 0), 0);
}

describe('an S3 that is not AWS', () => {
  it('is taken when it does all that the broker relies on, and nothing stays behind', async () => {
    await check();
    const used = proxy.seen.filter(({ path }) => path.includes('/broker/conformance/'));
    expect(new Set(used.map(({ path }) => path.split('/').at(-1))).size).toBe(7);
    expect(await remains()).toBe(0);
  });

  it('is not asked where it is AWS itself', async () => {
    const from = proxy.seen.length;
    await world.connect({ s3Endpoint: undefined }).conformance();
    expect(proxy.seen.length).toBe(from);
  });

  const ok = '<Ok><ETag>"e"</ETag></Ok>';
  /** One request of a check, by the number its key ends with, is answered as if nothing had been asked of S3. */
  const answered =
    (number: number, meant: (request: SeenRequest, nth: number) => boolean) => (): typeof proxy.fault => {
      let nth = 0;
      return (request) => {
        if (!request.path.endsWith(`/${String(number)}`)) return undefined;
        return meant(request, nth++) ? { kind: 'answer', status: 200, body: ok } : undefined;
      };
    };
  const second = (method: string) => {
    let met = 0;
    return (request: SeenRequest) => request.method === method && ++met === 2;
  };

  it.each<[string, () => typeof proxy.fault]>([
    ['create-only write (If-None-Match: *) of a key that exists', answered(0, second('PUT'))],
    ['create-only writes at once', answered(1, ({ method }) => method === 'PUT')],
    ['stale ETag', answered(2, ({ method }, nth) => method === 'PUT' && nth === 2)],
    ['multipart upload', answered(3, ({ method, body }) => method === 'POST' && body.includes('Complete'))],
    ['signed checksum header', answered(4, ({ method, body }) => method === 'PUT' && body.includes('wrong'))],
    ['altered signature', answered(5, second('GET'))],
    ['past its expiry', answered(6, ({ method }) => method === 'GET')],
  ])('is refused, and what it lacks is named: %s', async (lack, fault) => {
    proxy.fault = fault();
    const refusal: unknown = await check().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'StartRefused', code: 'store_unfit' });
    // Exactly one lack is named.
    const named = lack.replace(/[()*]/g, '\\$&');
    expect((refusal as Error).message).toMatch(new RegExp(`^store_unfit: [^;]*${named}[^;]*$`));
    expect(await remains()).toBe(0);
  });

  it('is refused with everything that it lacks at once', async () => {
    proxy.fault = ({ method, path, query }) =>
      path.includes('/broker/conformance/') && method === 'PUT' && !query.includes('uploadId')
        ? { kind: 'answer', status: 200, body: '' }
        : undefined;
    await expect(check()).rejects.toThrow(/ETag.*;.*checksum.*;/);
  });

  it('that does not answer is another matter than one that cannot be used', async () => {
    proxy.fault = ({ path }) => (path.includes('/broker/conformance/') ? { kind: 'lost' } : undefined);
    await expect(check()).rejects.toMatchObject({ code: 'store_unreachable' });
  });
});
