import { GetObjectCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import type { TestCloud } from './broker.ts';

/** Every version that S3 still holds of one key, as text, the newest first. */
export async function storedVersions(cloud: TestCloud, Key: string): Promise<string[]> {
  const { s3Endpoint, region, bucket: Bucket, accessKeyId, secretAccessKey } = cloud.cloud.description;
  const s3 = new S3Client({
    region,
    endpoint: s3Endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  const texts = Versions.map(async ({ VersionId }) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    return (await Body?.transformToString()) ?? '';
  });
  return Promise.all(texts).finally(() => {
    s3.destroy();
  });
}
