import { describe, expect, it } from 'vitest';
import { createAuthorize, loadPolicies, parseBucketPolicy } from '../../../../broker/local/iam/policies.ts';
import type { AccessRequest } from '../../../../broker/local/principal.ts';
import {
  ADMINISTRATOR,
  BROKER,
  IDENTITY,
  KEY_ARN,
  OTHER_VAULT,
  POLICIES,
  POOL_ARN,
  VALUES,
  VAULT,
  arn,
  authorizeBy,
  kmsContext,
} from './fixture.ts';

const authorize = authorizeBy(POLICIES);
const CREATE = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' };

const OBJECT_ACTIONS = [
  's3:GetObject',
  's3:GetObjectVersion',
  's3:PutObject',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];
const STATE_KEYS = ['broker/setup', 'a/x', 'n/x', 'r/x', 'g/x/y', 'o/x', `m/${VAULT}`, 'e/x/1', 'l/x'];
const FOREIGN_KEYS = [
  'x',
  'v',
  'v/',
  `v/${VAULT}`,
  `v/${VAULT}0/log/1`,
  `v/${OTHER_VAULT}/log/1`,
  `V/${VAULT}/log/1`,
  '',
  'q/x',
];

describe('objects', () => {
  const MAY_IDENTITY = new Set([
    's3:GetObject',
    's3:PutObject',
    's3:AbortMultipartUpload',
    's3:ListMultipartUploadParts',
  ]);
  const MAY_BROKER = new Set(['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion']);
  const MAY_PURGE = new Set(['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload']);

  it.each(OBJECT_ACTIONS)('%s: a vault has it on its own prefix or nowhere', (action) => {
    const ask = (key: string) =>
      authorize({ principal: IDENTITY, action, resource: arn(key), context: CREATE });
    for (const room of ['blobs/b', 'keys/b/0', 'inbox/b', 'log/1', 'snapshots/1/0']) {
      expect(ask(`v/${VAULT}/${room}`)).toBe(MAY_IDENTITY.has(action));
    }
    for (const key of [...FOREIGN_KEYS, ...STATE_KEYS]) expect(ask(key), key).toBe(false);
  });

  it.each(OBJECT_ACTIONS)(
    '%s: the broker has it on its own state, and below v/ only to delete and to abort',
    (action) => {
      const ask = (key: string) =>
        authorize({ principal: BROKER, action, resource: arn(key), context: CREATE });
      for (const key of STATE_KEYS) expect(ask(key), key).toBe(MAY_BROKER.has(action));
      for (const vault of [VAULT, OTHER_VAULT]) expect(ask(`v/${vault}/blobs/b`)).toBe(MAY_PURGE.has(action));
      for (const key of ['x', '', 'q/x', 'broker', 'A/x', 'v']) expect(ask(key), key).toBe(false);
    },
  );

  it('takes no star in a vault id for a wildcard', () => {
    const principal = { kind: 'identity', sub: '*' } as const;
    expect(
      authorize({ principal, action: 's3:GetObject', resource: arn(`v/${VAULT}/log/1`), context: {} }),
    ).toBe(false);
  });

  it('lets nobody but the administrator configure the bucket', () => {
    for (const action of [
      's3:CreateBucket',
      's3:PutBucketPolicy',
      's3:PutBucketCORS',
      's3:PutBucketVersioning',
    ]) {
      expect(authorize({ principal: ADMINISTRATOR, action, resource: arn(), context: {} })).toBe(true);
      for (const principal of [BROKER, IDENTITY]) {
        expect(authorize({ principal, action, resource: arn(), context: {} }), action).toBe(false);
      }
    }
  });

  it('gives nothing in another bucket', () => {
    for (const resource of ['arn:aws:s3:::halfkey2/a/x', 'arn:aws:s3:::other/a/x', 'no arn']) {
      expect(authorize({ principal: BROKER, action: 's3:GetObject', resource, context: {} })).toBe(false);
    }
  });
});

describe('lists', () => {
  it.each<[string, AccessRequest['principal'], string, string | undefined, boolean]>([
    ['own vault', IDENTITY, 's3:ListBucket', `v/${VAULT}/`, true],
    ['a room of the own vault', IDENTITY, 's3:ListBucket', `v/${VAULT}/log/`, true],
    [
      'own vault without the slash, which others may begin with',
      IDENTITY,
      's3:ListBucket',
      `v/${VAULT}`,
      false,
    ],
    ['other vault', IDENTITY, 's3:ListBucket', `v/${OTHER_VAULT}/`, false],
    ['all vaults', IDENTITY, 's3:ListBucket', 'v/', false],
    ['everything', IDENTITY, 's3:ListBucket', '', false],
    ['no prefix', IDENTITY, 's3:ListBucket', undefined, false],
    ['versions of the own vault', IDENTITY, 's3:ListBucketVersions', `v/${VAULT}/`, false],
    ['uploads of the own vault', IDENTITY, 's3:ListBucketMultipartUploads', `v/${VAULT}/`, false],
    ['own state', BROKER, 's3:ListBucket', 'a/', true],
    ['versions of own state', BROKER, 's3:ListBucketVersions', 'a/x', true],
    ['versions of a vault, to purge', BROKER, 's3:ListBucketVersions', `v/${VAULT}/keys/b/`, true],
    ['a vault, as its versions', BROKER, 's3:ListBucket', `v/${VAULT}/`, true],
    ['everything, without which no GET is told of a missing key', BROKER, 's3:ListBucket', undefined, true],
    ['no prefix', BROKER, 's3:ListBucketVersions', undefined, false],
  ])('%s', (_, principal, action, prefix, expected) => {
    expect(authorize({ principal, action, resource: arn(), context: { 's3:prefix': prefix } })).toBe(
      expected,
    );
  });
});

describe('keys', () => {
  const ask = (
    principal: AccessRequest['principal'],
    action: string,
    pairs: Readonly<Record<string, string>>,
  ) => authorize({ principal, action, resource: KEY_ARN, context: kmsContext(pairs) });
  const own = { app: 'halfkey', purpose: 'file', vault: VAULT, blob: 'b' };
  const secret = { app: 'halfkey', purpose: 'totp', account: 'x' };
  const ACTIONS = [
    'kms:GenerateDataKey',
    'kms:Decrypt',
    'kms:Encrypt',
    'kms:ReEncryptFrom',
    'kms:ReEncryptTo',
    'kms:DescribeKey',
  ];

  it.each(ACTIONS)('%s: a vault and the broker share no purpose', (action) => {
    const mayIdentity = action === 'kms:GenerateDataKey' || action === 'kms:Decrypt';
    const describe = action === 'kms:DescribeKey';
    for (const purpose of ['file', 'inbox', 'share']) {
      expect(ask(IDENTITY, action, { ...own, purpose }), purpose).toBe(mayIdentity);
      expect(ask(BROKER, action, { ...own, purpose }), purpose).toBe(describe);
      expect(ask(BROKER, action, { app: 'halfkey', purpose }), purpose).toBe(describe);
    }
    for (const purpose of ['totp', 'setup']) {
      expect(ask(IDENTITY, action, { ...own, purpose }), purpose).toBe(false);
      expect(ask(BROKER, action, { ...secret, purpose }), purpose).toBe(true);
    }
    expect(ask(ADMINISTRATOR, action, {})).toBe(true);
  });

  it.each<[string, Record<string, string>]>([
    ['another vault', { ...own, vault: OTHER_VAULT }],
    ['no vault', { app: 'halfkey', purpose: 'file', blob: 'b' }],
    ['a star for a vault', { ...own, vault: '*' }],
    ['another app', { ...own, app: 'other' }],
    ['no app', { purpose: 'file', vault: VAULT, blob: 'b' }],
    ['an unknown purpose', { ...own, purpose: 'File' }],
    ['no purpose', { app: 'halfkey', vault: VAULT, blob: 'b' }],
    [
      'a name that differs by case alone, which IAM would take',
      { app: 'halfkey', purpose: 'file', Vault: VAULT, blob: 'b' },
    ],
    ['both cases', { ...own, Vault: OTHER_VAULT }],
    ['a further name', { ...own, extra: '1' }],
    ['nothing', {}],
  ])('refuses a vault: %s', (_, pairs) => {
    expect(ask(IDENTITY, 'kms:Decrypt', own)).toBe(true);
    expect(ask(IDENTITY, 'kms:Decrypt', pairs)).toBe(false);
  });

  it('refuses the broker a context with a vault in it, whatever the purpose says', () => {
    expect(ask(BROKER, 'kms:Decrypt', { ...secret, vault: VAULT })).toBe(false);
    expect(ask(BROKER, 'kms:Decrypt', { app: 'halfkey', purpose: 'setup' })).toBe(true);
  });

  it('gives nothing on another key', () => {
    const resource = KEY_ARN.replace('aaaaaaaa', 'bbbbbbbb');
    expect(
      authorize({ principal: IDENTITY, action: 'kms:Decrypt', resource, context: kmsContext(own) }),
    ).toBe(false);
  });

  it('lets neither switch the key off', () => {
    for (const action of ['kms:DisableKey', 'kms:ScheduleKeyDeletion']) {
      for (const principal of [BROKER, IDENTITY]) expect(ask(principal, action, secret)).toBe(false);
    }
  });
});

describe('identities', () => {
  const action = 'cognito-identity:GetOpenIdTokenForDeveloperIdentity';

  it('are vouched for by the broker, in its own pool', () => {
    expect(authorize({ principal: BROKER, action, resource: POOL_ARN, context: {} })).toBe(true);
    expect(authorize({ principal: BROKER, action, resource: `${POOL_ARN}0`, context: {} })).toBe(false);
    expect(authorize({ principal: IDENTITY, action, resource: POOL_ARN, context: {} })).toBe(false);
  });
});

describe('the policy of the bucket', () => {
  const put = (principal: AccessRequest['principal'], key: string, context: AccessRequest['context']) =>
    authorize({ principal, action: 's3:PutObject', resource: arn(key), context });
  const blob = `v/${VAULT}/blobs/b`;

  it.each([
    ['an administrator', ADMINISTRATOR],
    ['the vault', IDENTITY],
  ])('holds for %s', (_, principal) => {
    expect(put(principal, blob, CREATE)).toBe(true);
    // Parts and the creation of an upload carry no condition.
    expect(put(principal, blob, { 's3:ObjectCreationOperation': 'false' })).toBe(true);
    expect(put(principal, blob, { 's3:ObjectCreationOperation': 'true' })).toBe(false);
    expect(
      put(principal, blob, { ...CREATE, 's3:x-amz-server-side-encryption-customer-algorithm': 'AES256' }),
    ).toBe(false);
    expect(put(principal, blob, { ...CREATE, 's3:x-amz-copy-source': '/halfkey/x' })).toBe(false);
    expect(put(principal, blob, { ...CREATE, 's3:signatureAge': '300000' })).toBe(true);
    expect(put(principal, blob, { ...CREATE, 's3:signatureAge': '300001' })).toBe(false);
  });

  it('leaves the broker to overwrite its own state, with no customer key, no copy and no old signature', () => {
    expect(put(BROKER, 'a/x', { 's3:ObjectCreationOperation': 'true' })).toBe(true);
    expect(put(BROKER, 'a/x', { 's3:x-amz-server-side-encryption-customer-algorithm': 'AES256' })).toBe(
      false,
    );
    expect(put(BROKER, 'a/x', { 's3:x-amz-copy-source': 'halfkey/a/y' })).toBe(false);
    expect(put(BROKER, 'a/x', { 's3:signatureAge': '300001' })).toBe(false);
  });

  it('ends reading and listing by old signatures too', () => {
    const context = { 's3:signatureAge': '300001', 's3:prefix': `v/${VAULT}/` };
    expect(authorize({ principal: IDENTITY, action: 's3:GetObject', resource: arn(blob), context })).toBe(
      false,
    );
    expect(authorize({ principal: ADMINISTRATOR, action: 's3:ListBucket', resource: arn(), context })).toBe(
      false,
    );
  });

  it('cannot lock the administrator out of mending it, and counts from the moment when it is changed', () => {
    const everything = parseBucketPolicy(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*","Resource":"*"}]}',
    );
    let current: typeof everything | undefined = undefined;
    const ask = createAuthorize(loadPolicies(POLICIES, VALUES), () => current);
    const may = (action: string) => ask({ principal: ADMINISTRATOR, action, resource: arn(), context: {} });
    expect(may('s3:ListBucket')).toBe(true);
    current = everything;
    expect(may('s3:ListBucket')).toBe(false);
    expect(may('s3:PutBucketPolicy')).toBe(true);
    expect(may('kms:DescribeKey')).toBe(true);
  });
});
