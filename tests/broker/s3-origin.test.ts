import { describe, expect, it } from 'vitest';
import { s3OriginOf } from '../../broker/aws/s3-address.ts';
import { setUpVaultCloud } from '../support/set-up-vaults.ts';

describe('the origin of S3 that a page may talk to', () => {
  it.each([
    ['us-east-1', 'bucket', 'https://bucket.s3.us-east-1.amazonaws.com'],
    ['eu-central-1', 'bucket', 'https://bucket.s3.eu-central-1.amazonaws.com'],
    ['cn-north-1', 'bucket', 'https://bucket.s3.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'bucket', 'https://bucket.s3.eusc-de-east-1.amazonaws.eu'],
    ['us-east-1', 'a.bucket', 'https://s3.us-east-1.amazonaws.com'],
  ])('is, in %s, of the bucket %s: %s', async (region, bucket, origin) => {
    expect(await s3OriginOf(region, bucket, undefined)).toBe(origin);
  });

  const world = setUpVaultCloud();

  it.each([undefined, 'https://s3.drive.example'])(
    'is the one of signed URLs, behind %s',
    async (s3PublicUrl) => {
      const ports = world.connect({ s3PublicUrl });
      const url = await ports.vaultObjects.presignGet(await world.newVault(ports), 'blobs/x');
      expect(await ports.s3Origin()).toBe(new URL(url).origin);
      expect(await ports.s3Origin()).toBe(s3PublicUrl ?? world.cloud.endpoint);
    },
  );
});
