import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { administratorOf, brokerOf, clientsOf, openVault, startCloud } from './cloud.ts';
import { POLICIES, temporaryFolder } from './fixture.ts';

const Bucket = 'halfkey';
const DENIED = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };
const create = (Key: string, more: object = {}) =>
  new PutObjectCommand({ Bucket, Key, Body: 'sealed', IfNoneMatch: '*', ...more });

describe('vaults', () => {
  it.each([
    ['lenient', { name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } }],
    ['strict', DENIED],
  ] as const)(
    'are told that something of their own is missing as the reading is, %s, and of nothing else',
    async (reading, told) => {
      const cloud = await startCloud(POLICIES, temporaryFolder(), Date.now, reading);
      const { s3, vault } = await openVault(cloud, 'ann');
      const missing = s3.send(new GetObjectCommand({ Bucket, Key: `v/${vault}/log/9` }));
      await expect(missing).rejects.toMatchObject(told);
      const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `v/${vault}/log/9` }));
      expect(KeyCount).toBe(0);
      await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'a/x' }))).rejects.toMatchObject(DENIED);
    },
  );

  it('write each name once, with no customer key and no copy, by whichever hand', async () => {
    const cloud = await startCloud();
    const ann = await openVault(cloud, 'ann');
    const Key = `v/${ann.vault}/blobs/b`;
    for (const { s3 } of [ann, administratorOf(cloud)]) {
      await expect(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))).rejects.toMatchObject(DENIED);
      const customerKey = {
        SSECustomerAlgorithm: 'AES256',
        SSECustomerKey: Buffer.alloc(32).toString('base64'),
        SSECustomerKeyMD5: 'cLwRhvYjpZzRRmM5aGNzAQ==',
      };
      await expect(s3.send(create(Key, customerKey))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
    }
    await ann.s3.send(create(Key));
    const copy = new CopyObjectCommand({
      Bucket,
      Key: `v/${ann.vault}/blobs/c`,
      CopySource: `${Bucket}/${Key}`,
    });
    // Refused by the policy, or as an operation that there is not: nothing is written.
    await expect(ann.s3.send(copy)).rejects.toThrow();
    const list = await ann.s3.send(new ListObjectsV2Command({ Bucket, Prefix: `v/${ann.vault}/` }));
    expect(list.KeyCount).toBe(1);
  });

  it('are purged by the broker, who cannot read what it deletes', async () => {
    const cloud = await startCloud();
    const ann = await openVault(cloud, 'ann');
    const Key = `v/${ann.vault}/keys/b/0`;
    await ann.s3.send(create(Key));
    const { s3 } = brokerOf(cloud);
    await expect(s3.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject(DENIED);
    await expect(s3.send(create(`v/${ann.vault}/keys/c/0`))).rejects.toMatchObject(DENIED);
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
    expect(Versions).toHaveLength(1);
    const VersionId = Versions[0]?.VersionId;
    await expect(s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))).rejects.toMatchObject(DENIED);
    await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    await expect(administratorOf(cloud).s3.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject(
      {
        name: 'NoSuchKey',
      },
    );
    const { KeyCount } = await ann.s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
    expect(KeyCount).toBe(0);
  });
});

describe('credentials of a vault', () => {
  it('end after an hour, and outlive a restart of the local cloud until then', async () => {
    let nowMs = Date.now();
    const folder = temporaryFolder();
    const first = await startCloud(POLICIES, folder, () => nowMs);
    const { pair, vault } = await openVault(first, 'ann');
    await first.close();
    const second = await startCloud(POLICIES, folder, () => nowMs);
    const { s3 } = clientsOf(second, pair);
    const list = new ListObjectsV2Command({ Bucket, Prefix: `v/${vault}/` });
    expect((await s3.send(list)).KeyCount).toBe(0);
    nowMs += 3_600_000;
    const later = new Date(nowMs);
    s3.config.systemClockOffset = later.getTime() - Date.now();
    await expect(s3.send(list)).rejects.toMatchObject({ name: 'ExpiredToken' });
  });

  it('are no credentials without their token, or with that of another vault', async () => {
    const cloud = await startCloud();
    const { pair, vault } = await openVault(cloud, 'ann');
    const bob = await openVault(cloud, 'bob');
    const { accessKeyId, secretAccessKey } = pair;
    const wrong = [
      { accessKeyId, secretAccessKey },
      { ...pair, sessionToken: bob.pair.sessionToken! },
      { ...pair, secretAccessKey: bob.pair.secretAccessKey },
    ];
    for (const one of wrong) {
      const list = clientsOf(cloud, one).s3.send(new ListObjectsV2Command({ Bucket, Prefix: `v/${vault}/` }));
      await expect(list).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    }
  });

  it('sign URLs that die after five minutes, whatever they say of themselves', async () => {
    let nowMs = Date.now();
    const cloud = await startCloud(POLICIES, temporaryFolder(), () => nowMs);
    const { s3, vault } = await openVault(cloud, 'ann');
    const Key = `v/${vault}/log/1`;
    await s3.send(create(Key));
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 3600 });
    expect((await fetch(url)).status).toBe(200);
    nowMs += 301_000;
    expect((await fetch(url)).status).toBe(403);
  });
});

describe('the policy files', () => {
  it('are what the local cloud goes by: an edit and a restart change the answers', async () => {
    const folder = temporaryFolder();
    const data = temporaryFolder();
    cpSync(POLICIES, folder, { recursive: true });
    const first = await startCloud(folder, data);
    const ann = await openVault(first, 'ann');
    const Key = `v/${ann.vault}/log/1`;
    await ann.s3.send(create(Key));
    await first.close();
    const path = join(folder, 'vault-identity.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"s3:GetObject", ', ''));
    const second = await startCloud(folder, data);
    const again = clientsOf(second, ann.pair).s3;
    await expect(again.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject(DENIED);
    await again.send(create(`v/${ann.vault}/log/2`));
    await second.close();
    writeFileSync(path, readFileSync(path, 'utf8').replace('"StringLike"', '"StringMatches"'));
    await expect(startCloud(folder, data)).rejects.toThrow('unknown_operator: vault-identity.json');
  });

  it('cannot be replaced on the bucket by what could not be evaluated, or by anybody but the administrator', async () => {
    const cloud = await startCloud();
    const put = (Policy: string) => new PutBucketPolicyCommand({ Bucket, Policy });
    const odd =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","NotResource":"*","Action":"*"}]}';
    const malformed = administratorOf(cloud).s3.send(put(odd));
    await expect(malformed).rejects.toMatchObject({
      name: 'MalformedPolicy',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(brokerOf(cloud).s3.send(put(odd))).rejects.toMatchObject(DENIED);
  });
});
