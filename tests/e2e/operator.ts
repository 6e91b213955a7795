import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Stack } from '../support/stack.ts';

/** S3 in the hands of its operator. */
export class Operator {
  readonly #s3: S3Client;
  readonly #bucket: string;

  constructor({ cloud }: Pick<Stack, 'cloud'>) {
    const { s3Endpoint, region, accessKeyId, secretAccessKey, bucket } = cloud;
    const credentials = { accessKeyId, secretAccessKey };
    this.#s3 = new S3Client({ endpoint: s3Endpoint, region, forcePathStyle: true, credentials });
    this.#bucket = bucket;
  }

  /** Keys of all that was uploaded. */
  async blobs(): Promise<string[]> {
    const listing = new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: 'v/' });
    const { Contents = [] } = await this.#s3.send(listing);
    return Contents.map(({ Key = '' }) => Key).filter((key) => key.includes('/blobs/'));
  }

  async read(key: string): Promise<Buffer> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async overwrite(key: string, body: Buffer): Promise<void> {
    const at = { Bucket: this.#bucket };
    await this.#s3.send(new DeleteObjectsCommand({ ...at, Delete: { Objects: [{ Key: key }] } }));
    await this.#s3.send(new PutObjectCommand({ ...at, Key: key, Body: body, IfNoneMatch: '*' }));
  }
}
