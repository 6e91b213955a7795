import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CognitoIdentityClient } from '@aws-sdk/client-cognito-identity';
import * as kmsCommands from '@aws-sdk/client-kms';
import * as s3Commands from '@aws-sdk/client-s3';
import { beforeAll, expect } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { vaultCredentials } from '../../../broker/aws/vault-credentials.ts';
import { vaultLogins } from '../../../broker/aws/vault-logins.ts';
import { newSession, openVault, startVaultSide } from '../../support/vault-side.ts';
import { setUpVaultCloud } from '../../support/set-up-vaults.ts';
import { row } from '../support/row.ts';

const world = setUpVaultCloud();
let vaultA: VaultId;
let vaultB: VaultId;

beforeAll(async () => {
  const ports = world.connect();
  const broker = startVaultSide({
    state: ports.state,
    objects: ports.vaultObjects,
    kms: ports.vaultKms,
    purger: ports.purger,
  });
  [vaultA, vaultB] = [await world.newVault(ports), await world.newVault(ports)];
  for (const vault of [vaultA, vaultB]) await openVault(broker, newSession(), vault);
  broker.close();
});

interface Pair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
const Bucket = 'halfkey';

/** One attempt over HTTP, and what it was answered with: `ok`, or AWS's name of the error. */
type Attempt = (clients: { s3: s3Commands.S3Client; kms: kmsCommands.KMSClient }) => Promise<unknown>;

/** Every request to S3 that there is a command for here, on one key. */
const onKey = (Key: string): Readonly<Record<string, Attempt>> => ({
  GetObject: ({ s3 }) => s3.send(new s3Commands.GetObjectCommand({ Bucket, Key })),
  GetObjectVersion: ({ s3 }) => s3.send(new s3Commands.GetObjectCommand({ Bucket, Key, VersionId: 'null' })),
  HeadObject: ({ s3 }) => s3.send(new s3Commands.HeadObjectCommand({ Bucket, Key })),
  PutObject: ({ s3 }) =>
    s3.send(new s3Commands.PutObjectCommand({ Bucket, Key: `${Key}.new`, Body: 'x', IfNoneMatch: '*' })),
  'PutObject without a condition': ({ s3 }) =>
    s3.send(new s3Commands.PutObjectCommand({ Bucket, Key, Body: 'x' })),
  'PutObject with a customer key': ({ s3 }) =>
    s3.send(
      new s3Commands.PutObjectCommand({
        Bucket,
        Key: `${Key}.sse`,
        Body: 'x',
        IfNoneMatch: '*',
        SSECustomerAlgorithm: 'AES256',
        SSECustomerKey: Buffer.alloc(32).toString('base64'),
        SSECustomerKeyMD5: 'AAAAAAAAAAAAAAAAAAAAAA==',
      }),
    ),
  CopyObject: ({ s3 }) =>
    s3.send(
      new s3Commands.CopyObjectCommand({
        Bucket,
        Key: `v/${vaultA}/blobs/copy`,
        CopySource: encodeURI(`${Bucket}/${Key}`),
      }),
    ),
  DeleteObject: ({ s3 }) => s3.send(new s3Commands.DeleteObjectCommand({ Bucket, Key })),
  DeleteObjectVersion: ({ s3 }) =>
    s3.send(new s3Commands.DeleteObjectCommand({ Bucket, Key, VersionId: 'null' })),
  CreateMultipartUpload: ({ s3 }) =>
    s3.send(new s3Commands.CreateMultipartUploadCommand({ Bucket, Key: `${Key}.mpu` })),
  UploadPart: ({ s3 }) =>
    s3.send(new s3Commands.UploadPartCommand({ Bucket, Key, UploadId: 'x', PartNumber: 1, Body: 'x' })),
  ListParts: ({ s3 }) => s3.send(new s3Commands.ListPartsCommand({ Bucket, Key, UploadId: 'x' })),
  AbortMultipartUpload: ({ s3 }) =>
    s3.send(new s3Commands.AbortMultipartUploadCommand({ Bucket, Key, UploadId: 'x' })),
  'ListObjectsV2 below it': ({ s3 }) =>
    s3.send(
      new s3Commands.ListObjectsV2Command({ Bucket, Prefix: `${Key.split('/').slice(0, 2).join('/')}/` }),
    ),
  'ListObjectVersions below it': ({ s3 }) =>
    s3.send(
      new s3Commands.ListObjectVersionsCommand({
        Bucket,
        Prefix: `${Key.split('/').slice(0, 2).join('/')}/`,
      }),
    ),
});

/** What a vault's identity may do on its own prefix; everything else is refused, as is everything elsewhere. */
const MAY_ON_OWN = new Set([
  'GetObject',
  'HeadObject',
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'ListParts',
  'AbortMultipartUpload',
  'ListObjectsV2 below it',
]);
/** What the broker's role may do below v/: erase, and list to find what to erase. */
const MAY_PURGE = new Set([
  'DeleteObject',
  'DeleteObjectVersion',
  'ListObjectVersions below it',
  'AbortMultipartUpload',
]);

const REFUSED =
  /AccessDenied|Forbidden|403|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|Unknown|UnrecognizedClient|InvalidSignature|ExpiredToken/;

async function nameOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'ok',
    (error: unknown) => (error instanceof Error ? error.name : 'no error'),
  );
}

async function credentialsOf(vault: VaultId): Promise<Pair> {
  const { place } = world;
  if (!place.credentials) throw new Error('expected the broker’s credentials');
  const cognito = new CognitoIdentityClient({
    region: place.region,
    endpoint: world.cloud.endpoint,
    credentials: place.credentials,
  });
  return vaultCredentials({ ...place, cognito, logins: vaultLogins(world.connect().state) })(vault);
}

function clientsFor(credentials: Pair) {
  const common = { region: world.place.region, endpoint: world.cloud.endpoint, credentials, maxAttempts: 1 };
  return {
    s3: new s3Commands.S3Client({
      ...common,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    }),
    kms: new kmsCommands.KMSClient(common),
  };
}

row(
  'E9',
  {
    attack: 'credentials of one vault, or of the broker, anywhere else',
    tried:
      'six principals × 15 requests to S3 × 14 prefixes, and 3 to KMS × 14 contexts, over HTTP against the policy files; lists of more than a vault; another vault’s half under either’s context',
  },
  async (t) => {
    const [own, foreign] = [await credentialsOf(vaultA), await credentialsOf(vaultB)];
    const broker = world.place.credentials;
    if (!broker) throw new Error('expected the broker’s credentials');
    const principals: readonly (readonly [string, Pair])[] = [
      ['vault A', own],
      ['broker', broker],
      ['A without its token', { accessKeyId: own.accessKeyId, secretAccessKey: own.secretAccessKey }],
      ['A with B’s token', { ...own, ...(foreign.sessionToken && { sessionToken: foreign.sessionToken }) }],
      ['A with a token cut short', { ...own, sessionToken: (own.sessionToken ?? '').slice(0, -4) }],
      ['nobody', { accessKeyId: 'ASIANOBODY', secretAccessKey: 'x', sessionToken: 'x' }],
    ];
    const ownKey = `v/${vaultA}/log/0`;
    const state = ['broker/setup', 'a/x', 'n/x', 'r/x', 'g/x/y', 'o/x', `m/${vaultA}`, 'e/x/0', 'l/x'];
    const vaults = [`v/${vaultB}/log/0`, `v/${vaultA}x/log/0`, `V/${vaultA}/log/0`];
    for (const [who, pair] of principals) {
      const clients = clientsFor(pair);
      for (const key of [ownKey, ...vaults, ...state, 'other/x']) {
        for (const [what, attempt] of Object.entries(onKey(key))) {
          // What is written has to be somewhere else for each try; what is deleted must not be needed.
          if (who === 'broker' && (state.includes(key) || (key === ownKey && MAY_PURGE.has(what)))) continue;
          const name = await nameOf(attempt(clients));
          const may =
            (who === 'vault A' && key === ownKey && MAY_ON_OWN.has(what)) ||
            (who === 'broker' && key.startsWith('v/') && MAY_PURGE.has(what)) ||
            // Else no read of its own would be told that a key is missing: policies/README.md.
            (who === 'broker' && what === 'ListObjectsV2 below it');
          if (may)
            expect([who, what, key, name]).not.toEqual([who, what, key, expect.stringMatching(REFUSED)]);
          else expect([who, what, key, name]).toEqual([who, what, key, expect.stringMatching(REFUSED)]);
          if (!may) t.refused(name);
          t.vary(1);
        }
      }
      for (const context of contexts()) {
        const may = who === 'vault A' && isOwnHalf(context);
        const KeyId = world.place.kmsKeyId;
        const attempts: readonly (readonly [boolean, () => Promise<unknown>])[] = [
          [
            may || (who === 'broker' && isOwnSecret(context)),
            () =>
              clients.kms.send(
                new kmsCommands.GenerateDataKeyCommand({
                  KeyId,
                  NumberOfBytes: 32,
                  EncryptionContext: context,
                }),
              ),
          ],
          [
            who === 'broker' && isOwnSecret(context),
            () =>
              clients.kms.send(
                new kmsCommands.EncryptCommand({
                  KeyId,
                  Plaintext: Buffer.alloc(8),
                  EncryptionContext: context,
                }),
              ),
          ],
          [false, () => clients.kms.send(new kmsCommands.ScheduleKeyDeletionCommand({ KeyId }))],
        ];
        for (const [allowed, attempt] of attempts) {
          const name = await nameOf(attempt());
          expect([who, context, name]).toEqual([
            who,
            context,
            allowed ? 'ok' : expect.stringMatching(REFUSED),
          ]);
          if (!allowed) t.refused(name);
          t.vary(1);
        }
      }
      clients.s3.destroy();
      clients.kms.destroy();
    }

    const { s3, kms } = clientsFor(own);
    const lists = [undefined, 'v/', `v/${vaultA}`, `v/${vaultB}`].map(
      (Prefix) => new s3Commands.ListObjectsV2Command({ Bucket, ...(Prefix !== undefined && { Prefix }) }),
    );
    const attempts = [
      ...lists.map((command) => () => s3.send(command)),
      () => s3.send(new s3Commands.ListMultipartUploadsCommand({ Bucket })),
    ];
    // One after the other: a refusal that comes before anybody waits for it would not be counted.
    for (const attempt of attempts) {
      expect(await nameOf(attempt())).toBe('AccessDenied');
      t.vary(1);
    }
    const half = { app: 'halfkey', purpose: 'file', blob: 'b' };
    const { kmsBlob } = await world.connect().vaultKms.generateDataKey(vaultB, { ...half, vault: vaultB });
    for (const [vault, refusal] of [
      [vaultB, 'AccessDeniedException'],
      [vaultA, 'InvalidCiphertextException'],
    ] as const) {
      const EncryptionContext = { ...half, vault };
      const decrypt = new kmsCommands.DecryptCommand({ CiphertextBlob: kmsBlob, EncryptionContext });
      expect(await nameOf(kms.send(decrypt))).toBe(refusal);
      t.refused(refusal);
      t.vary(1);
    }
    s3.destroy();
    kms.destroy();
  },
);

function contexts(): Record<string, string>[] {
  const file = { app: 'halfkey', purpose: 'file', vault: vaultA, blob: 'b' };
  return [
    file,
    { ...file, purpose: 'inbox' },
    { ...file, vault: vaultB },
    { ...file, app: 'other' },
    { ...file, purpose: 'totp' },
    { ...file, purpose: 'setup' },
    { ...file, purpose: '' },
    { ...file, extra: 'x' },
    { ...file, Vault: vaultB },
    { app: 'halfkey', purpose: 'file', blob: 'b' },
    { app: 'halfkey', purpose: 'totp', account: 'a' },
    { app: 'halfkey', purpose: 'setup' },
    { app: 'halfkey', purpose: 'totp', account: 'a', vault: vaultA },
    {},
  ];
}

function isOwnHalf(context: Readonly<Record<string, string>>): boolean {
  const { app, purpose, vault } = context;
  const names = Object.keys(context).every((name) => ['app', 'purpose', 'vault', 'blob'].includes(name));
  return names && app === 'halfkey' && vault === vaultA && /^(file|inbox|share)$/.test(purpose ?? '');
}

function isOwnSecret(context: Readonly<Record<string, string>>): boolean {
  const { app, purpose } = context;
  const names = Object.keys(context).every((name) => ['app', 'purpose', 'account'].includes(name));
  return names && app === 'halfkey' && /^(totp|setup)$/.test(purpose ?? '');
}

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal?: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}
const list = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;

function statementsOf(name: string): readonly Statement[] {
  const path = fileURLToPath(new URL(`../../../broker/deploy/policies/${name}.json`, import.meta.url));
  const document = JSON.parse(readFileSync(path, 'utf8')) as { Version: string; Statement: Statement[] };
  expect(document.Version).toBe('2012-10-17');
  return document.Statement;
}

row(
  'E9',
  {
    attack: 'a policy that says more than it should',
    tried:
      'the three policy files read for wildcards, deletes, missing conditions, and the four refusals of the bucket',
  },
  async (t) => {
    const [identity, role, bucket] = ['vault-identity', 'broker-role', 'bucket'].map(statementsOf);
    if (!identity || !role || !bucket) throw new Error('expected three policies');
    for (const { Effect, Action, Resource, Principal } of [...identity, ...role]) {
      expect(Effect).toBe('Allow');
      expect(Principal).toBeUndefined();
      expect(list(Action).filter((action) => action.includes('*'))).toEqual([]);
      expect(
        list(Resource).filter((resource) => /^\*$|^arn:aws:s3:::\*|:::\{\{bucket\}\}\/\*$/.test(resource)),
      ).toEqual([]);
      t.vary(1);
    }
    const sub = '${cognito-identity.amazonaws.com:sub}';
    for (const { Action, Resource, Condition } of identity) {
      expect(list(Action).filter((action) => /Delete|Policy|Version|Encrypt$|Describe/.test(action))).toEqual(
        [],
      );
      expect(JSON.stringify([Resource, Condition ?? {}])).toContain(sub);
      t.vary(1);
    }
    // The broker's own role reads and writes nothing below v/: it deletes, and ends what was never finished.
    for (const { Action, Resource } of role) {
      if (!list(Resource).some((resource) => resource.includes('/v/'))) continue;
      const mayDo = /^s3:(DeleteObject|DeleteObjectVersion|AbortMultipartUpload)$/;
      expect(list(Action).filter((action) => !mayDo.test(action))).toEqual([]);
      t.vary(1);
    }
    for (const { Action, Condition } of [...identity, ...role]) {
      if (!list(Action).some((action) => /^kms:(Gen|Dec|Enc|ReE)/.test(action))) continue;
      expect(Object.keys(Condition ?? {})).toEqual(['StringEquals', 'ForAllValues:StringEquals']);
      const bound = Object.keys(Condition?.['StringEquals'] ?? {});
      expect(bound).toEqual(
        expect.arrayContaining(['kms:EncryptionContext:app', 'kms:EncryptionContext:purpose']),
      );
      t.vary(1);
    }
    const purposes = [identity, role].map((statements) =>
      statements.flatMap(({ Condition }) =>
        list(Condition?.['StringEquals']?.['kms:EncryptionContext:purpose'] ?? []),
      ),
    );
    expect(purposes).toEqual([
      ['file', 'inbox', 'share'],
      ['totp', 'setup'],
    ]);

    const denied = new Map(bucket.map((statement) => [statement.Sid, statement]));
    for (const { Effect, Principal } of bucket) expect([Effect, Principal]).toEqual(['Deny', '*']);
    const age = denied.get('SignaturesLiveFiveMinutes');
    expect(age).toMatchObject({ Action: 's3:*' });
    const limitMs = Number(list(age?.Condition?.['NumericGreaterThan']?.['s3:signatureAge'] ?? '')[0]);
    expect(limitMs).toBeGreaterThan(0);
    expect(limitMs).toBeLessThanOrEqual(300_000);
    expect(denied.get('NoCustomerKeys')?.Condition).toEqual({
      Null: { 's3:x-amz-server-side-encryption-customer-algorithm': 'false' },
    });
    expect(denied.get('NoCopies')?.Condition).toEqual({ Null: { 's3:x-amz-copy-source': 'false' } });
    expect(denied.get('VaultObjectsAreCreateOnly')).toMatchObject({
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::{{bucket}}/v/*',
      Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
    });
    t.vary(bucket.length);
    t.held('no wildcard, no delete for a vault, no purpose shared, four refusals on the bucket');
    return Promise.resolve();
  },
);
