import { randomBytes } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CognitoIdentityClient } from '@aws-sdk/client-cognito-identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import * as inboxContract from '$contract/inbox.ts';
import type { Route } from '$contract/route.ts';
import * as contract from '$contract/vault.ts';
import type { CloudPorts } from '../../broker/aws/broker-clients.ts';
import { vaultCredentials } from '../../broker/aws/vault-credentials.ts';
import { vaultLogins } from '../../broker/aws/vault-logins.ts';
import { logKey } from '../../broker/domain/vault/log.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import { sha256B64 } from '../support/memory-vault-cloud.ts';
import { ask, serveVaults } from '../support/vault-broker.ts';
import { spiedKms } from '../support/vault-cloud.ts';
import {
  envelopeOf,
  newBlobId,
  newGrantId,
  newSession,
  openVault,
  segmentAfter,
  startVaultSide,
  type TestVaultSide,
} from '../support/vault-side.ts';
import { setUpVaultCloud } from '../support/set-up-vaults.ts';

const world = setUpVaultCloud();
let ports: CloudPorts;
let kms: ReturnType<typeof spiedKms>;
let broker: TestVaultSide;
let app: ReturnType<typeof serveVaults>;
let alice: Session;
let bob: Session;
let vaultA: VaultId;
let vaultB: VaultId;

beforeAll(async () => {
  ports = world.connect();
  kms = spiedKms(ports.vaultKms);
  broker = startVaultSide({ state: ports.state, objects: ports.vaultObjects, kms, purger: ports.purger });
  [alice, bob] = [newSession(), newSession()];
  [vaultA, vaultB] = [await world.newVault(ports), await world.newVault(ports)];
  await openVault(broker, alice, vaultA);
  await openVault(broker, bob, vaultB);
  app = serveVaults(broker, [alice, bob]);
});
afterAll(async () => {
  broker.close();
});

describe('a session of vault A at the routes of vault B', () => {
  const blob = newBlobId();
  const sized = { sizeBytes: 10, sha256: sha256B64(Buffer.alloc(10)) };
  /** A request that is right in itself, for every route of the contract. */
  const requests: Record<string, unknown> = {
    keysGenerate: { grant: newGrantId(), purpose: 'file', blobs: [blob] },
    keysRelease: { grant: newGrantId(), purpose: 'file', names: [{ blob, epoch: 0 }] },
    envelopesWrite: { envelopes: [{ blob, envelope: envelopeOf(randomBytes(64)) }] },
    blobPutUrl: { blob, ...sized },
    blobGetUrls: { blobs: [blob] },
    uploadCreate: { blob, sizeBytes: 10 },
    uploadPartUrls: { blob, uploadId: 'x', parts: [{ partNumber: 1, ...sized }] },
    uploadList: { blob, uploadId: 'x' },
    uploadComplete: {
      blob,
      uploadId: 'x',
      sizeBytes: 10,
      parts: [{ partNumber: 1, etag: '"x"', sha256: sized.sha256 }],
    },
    uploadAbort: { blob, uploadId: 'x' },
    logAppend: { segment: Buffer.from(segmentAfter(undefined)).toString('base64url') },
    logRead: { from: '0' },
    snapshotPutUrls: { pages: [{ seq: 1, page: blob, ...sized }] },
    snapshotGetUrls: { pages: [{ seq: 1, page: blob }] },
    inboxWrite: { records: [{ blob, record: 'AAAA' }] },
    inboxList: { after: '' },
    inboxRemove: { grant: newGrantId(), blobs: [blob] },
    purgeGrant: { factor: { code: '123456' } },
    purge: { grant: newGrantId(), blobs: [blob] },
  };
  const routes = Object.entries({ ...contract, ...inboxContract }).flatMap<
    [string, Pick<Route, 'method' | 'path'>]
  >(([name, value]) => {
    if (value === contract.VAULT_EVENTS_PATH) return [[name, { method: 'GET', path: value }]];
    return typeof value === 'object' && 'path' in value ? [[name, value]] : [];
  });

  it('knows a request for every route that there is', () => {
    const named = routes.map(([name]) => name).filter((name) => name !== 'VAULT_EVENTS_PATH');
    expect(Object.keys(requests).sort()).toEqual(named.sort());
    expect(named).toHaveLength(19);
  });

  it.each(routes)('%s: 403 not_a_member, without a call to KMS', async (name, route) => {
    const calls = kms.calls;
    for (const vault of [vaultB, 'us-east-1:00000000-0000-4000-8000-000000000000']) {
      const response = await ask(app, alice, route, vault, requests[name] ?? {});
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: 'not_a_member' });
    }
    expect(kms.calls).toBe(calls);
  });

  it.each(routes)('%s: 401 without a session, and 400 for what is no vault id', async (name, route) => {
    const stranger = await ask(app, undefined, route, vaultB, requests[name] ?? {});
    expect(stranger.status).toBe(401);
    for (const odd of ['../a', 'us-east-1:x', `${vaultA}/../${vaultB}`, `${vaultA} `, 'v']) {
      const response = await ask(app, alice, route, odd, requests[name] ?? {});
      expect([400, 404]).toContain(response.status);
    }
  });

  it('releases no half of B for an envelope of B that was copied into A', async () => {
    const grantOf = async (session: Session) => (await broker.grants.issue(session, { kind: 'release' })).id;
    const [made] = await broker.keys.generate(bob, vaultB, {
      grant: await grantOf(bob),
      purpose: 'file',
      blobs: [blob],
    });
    if (!made) throw new Error('expected a key');
    await broker.keys.write(vaultA, [{ blob, envelope: envelopeOf(made.kmsBlob) }]);
    const request = { grant: await grantOf(alice), purpose: 'file', names: [{ blob, epoch: 0 }] };
    const response = await ask(app, alice, contract.keysRelease, vaultA, request);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: 'record_corrupt', fields: ['names.0'] });
  });

  it('releases no authenticator secret for a KMS blob of purpose "totp" in an envelope', async () => {
    const secret = randomBytes(32);
    const kmsBlob = await ports.kms.encrypt(secret, {
      app: 'halfkey',
      purpose: 'totp',
      account: alice.account,
    });
    const stolen = newBlobId();
    await broker.keys.write(vaultA, [{ blob: stolen, envelope: envelopeOf(kmsBlob) }]);
    const { id: grant } = await broker.grants.issue(alice, { kind: 'release' });
    for (const purpose of ['file', 'inbox']) {
      const response = await ask(app, alice, contract.keysRelease, vaultA, {
        grant,
        purpose,
        names: [{ blob: stolen, epoch: 0 }],
      });
      expect(await response.json()).toMatchObject({ code: 'record_corrupt' });
    }
  });

  it('takes no purpose but "file" and "inbox", and no further part of a context', async () => {
    const { id: grant } = await broker.grants.issue(alice, { kind: 'release' });
    const calls = kms.calls;
    for (const odd of [{ purpose: 'totp' }, { purpose: 'share' }, { vault: vaultB }, { kmsBlob: 'AAAA' }]) {
      const request = { grant, purpose: 'file', names: [{ blob, epoch: 0 }], ...odd };
      const response = await ask(app, alice, contract.keysRelease, vaultA, request);
      expect(await response.json()).toMatchObject({ code: 'input_malformed' });
    }
    expect(kms.calls).toBe(calls);
  });
});

describe('the credentials of vault A’s identity', () => {
  let s3: S3Client;
  let ownKms: KMSClient;
  const key = (vault: VaultId, rest: string): string => `v/${vault}/${rest}`;

  beforeAll(async () => {
    const { place } = world;
    const endpoint = world.cloud.endpoint;
    if (!place.credentials) throw new Error('expected the broker’s credentials');
    const cognito = new CognitoIdentityClient({
      region: place.region,
      endpoint,
      credentials: place.credentials,
    });
    const fetchCredentials = vaultCredentials({ ...place, cognito, logins: vaultLogins(ports.state) });
    const credentials = await fetchCredentials(vaultA);
    s3 = new S3Client({ region: place.region, endpoint, forcePathStyle: true, credentials });
    ownKms = new KMSClient({ region: place.region, endpoint, credentials });
  });

  const Bucket = 'halfkey';
  const requests = (vault: VaultId): [string, () => Promise<unknown>][] => [
    ['GetObject', () => s3.send(new GetObjectCommand({ Bucket, Key: key(vault, logKey(0)) }))],
    [
      'GetObject of what is not there',
      () => s3.send(new GetObjectCommand({ Bucket, Key: key(vault, 'log/9') })),
    ],
    ['HeadObject', () => s3.send(new HeadObjectCommand({ Bucket, Key: key(vault, logKey(0)) }))],
    [
      'PutObject',
      () => s3.send(new PutObjectCommand({ Bucket, Key: key(vault, 'log/1'), Body: 'x', IfNoneMatch: '*' })),
    ],
    ['DeleteObject', () => s3.send(new DeleteObjectCommand({ Bucket, Key: key(vault, logKey(0)) }))],
    [
      'CopyObject',
      () =>
        s3.send(
          new CopyObjectCommand({
            Bucket,
            Key: key(vaultA, 'blobs/copy'),
            CopySource: encodeURI(`${Bucket}/${key(vault, logKey(0))}`),
          }),
        ),
    ],
    ['ListObjectsV2', () => s3.send(new ListObjectsV2Command({ Bucket, Prefix: key(vault, '') }))],
    ['ListObjectVersions', () => s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: key(vault, '') }))],
    [
      'CreateMultipartUpload',
      () => s3.send(new CreateMultipartUploadCommand({ Bucket, Key: key(vault, 'blobs/x') })),
    ],
    ['ListMultipartUploads', () => s3.send(new ListMultipartUploadsCommand({ Bucket }))],
    ['ListParts', () => s3.send(new ListPartsCommand({ Bucket, Key: key(vault, 'blobs/x'), UploadId: 'x' }))],
    [
      'AbortMultipartUpload',
      () => s3.send(new AbortMultipartUploadCommand({ Bucket, Key: key(vault, 'blobs/x'), UploadId: 'x' })),
    ],
    ...['a/x', 'm/x', 'broker/setup', 'v/', `v/${vault}`].map<[string, () => Promise<unknown>]>((Key) => [
      `GetObject of ${Key.replace(vault, 'vault B')}`,
      () => s3.send(new GetObjectCommand({ Bucket, Key })),
    ]),
    ['ListObjectsV2 of everything', () => s3.send(new ListObjectsV2Command({ Bucket }))],
    ['ListObjectsV2 of v/', () => s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'v/' }))],
    ...[
      { app: 'halfkey', purpose: 'file', vault, blob: 'b' },
      { app: 'halfkey', purpose: 'totp', vault: vaultA, account: 'a' },
      { app: 'halfkey', purpose: 'setup', vault: vaultA },
      { app: 'halfkey', purpose: 'file' },
      { app: 'halfkey', purpose: 'file', vault: vaultA, Vault: vault },
      {},
    ].map<[string, () => Promise<unknown>]>((EncryptionContext, index) => [
      `GenerateDataKey with context ${String(index)}`,
      () =>
        ownKms.send(
          new GenerateDataKeyCommand({
            KeyId: world.place.kmsKeyId,
            NumberOfBytes: 32,
            EncryptionContext: EncryptionContext,
          }),
        ),
    ]),
  ];

  it('get nothing of vault B from S3 and KMS, and none of the broker’s own objects', async () => {
    for (const [name, run] of requests(vaultB)) {
      const refusal = await run().then(
        () => 'allowed',
        (error: unknown) => (error instanceof Error ? error.name : 'no error'),
      );
      // HeadObject has no body to name an error in.
      expect([name, refusal]).toEqual([
        name,
        name === 'HeadObject'
          ? expect.stringMatching(/Forbidden|403|Unknown/)
          : expect.stringMatching(/^AccessDenied/),
      ]);
    }
  });

  it('do read vault A, so that the refusals above are about the vault', async () => {
    const object = await s3.send(new GetObjectCommand({ Bucket, Key: key(vaultA, logKey(0)) }));
    expect(object.ContentLength).toBeGreaterThan(0);
    const list = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: key(vaultA, '') }));
    expect(list.KeyCount).toBeGreaterThan(0);
    const missing = s3.send(new GetObjectCommand({ Bucket, Key: key(vaultA, 'log/9') }));
    await expect(missing).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('do not open a KMS blob of vault B, under its own context or B’s', async () => {
    const blob = newBlobId();
    const { kmsBlob } = await ports.vaultKms.generateDataKey(vaultB, {
      app: 'halfkey',
      purpose: 'file',
      vault: vaultB,
      blob,
    });
    const decrypt = (vault: VaultId) =>
      ownKms.send(
        new DecryptCommand({
          CiphertextBlob: kmsBlob,
          EncryptionContext: { app: 'halfkey', purpose: 'file', vault, blob },
        }),
      );
    await expect(decrypt(vaultB)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(decrypt(vaultA)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  });

  it('delete nothing of vault A either', async () => {
    for (const VersionId of [undefined, 'null']) {
      const request = new DeleteObjectCommand({ Bucket, Key: key(vaultA, logKey(0)), VersionId });
      await expect(s3.send(request)).rejects.toMatchObject({ name: 'AccessDenied' });
    }
  });

  it('are of no use to the broker’s role, which reads no vault object', async () => {
    const own = new S3Client({
      region: world.place.region,
      endpoint: world.cloud.endpoint,
      forcePathStyle: true,
      ...(world.place.credentials && { credentials: world.place.credentials }),
    });
    const read = own.send(new GetObjectCommand({ Bucket, Key: key(vaultA, logKey(0)) }));
    await expect(read).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});
