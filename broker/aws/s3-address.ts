import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** Where a client of S3 sends its requests, or signs them for. @param endpoint undefined: AWS's own of the region */
export const addressOf = (region: string, endpoint: string | undefined) =>
  endpoint === undefined ? { region } : { region, endpoint, forcePathStyle: true };

/**
 * Scheme, host and port that the browser sends bodies to. Asked of the SDK itself, by a URL that is thrown away:
 * partitions have domains of their own, and a bucket with dots is at another host than the rest.
 * @param endpoint under which the browser sees S3; undefined: AWS's own
 */
export async function s3OriginOf(
  region: string,
  bucket: string,
  endpoint: string | undefined,
): Promise<string> {
  const nobody = { accessKeyId: 'nobody', secretAccessKey: 'nothing' };
  const s3 = new S3Client({ ...addressOf(region, endpoint), credentials: nobody });
  try {
    return new URL(await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: 'any' }))).origin;
  } finally {
    s3.destroy();
  }
}
