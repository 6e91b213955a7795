import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAuthorize, loadPolicies, parseBucketPolicy } from '../../../../broker/local/iam/policies.ts';
import type { AccessRequest, Principal } from '../../../../broker/local/principal.ts';
import {
  ADMINISTRATOR,
  BROKER,
  IDENTITY,
  KEY_ARN,
  OTHER_VAULT,
  POLICIES,
  VALUES,
  VAULT,
  arn,
  authorizeBy,
  kmsContext,
  temporaryFolder,
} from './fixture.ts';

describe('the policy files', () => {
  function copy(): string {
    const folder = temporaryFolder();
    for (const name of ['vault-identity.json', 'broker-role.json', 'bucket.json']) {
      copyFileSync(join(POLICIES, name), join(folder, name));
    }
    return folder;
  }

  function edit(folder: string, name: string, from: string, to: string): void {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(folder, name), text.replaceAll(from, to));
  }

  it('are what is evaluated: an edit changes the answers', () => {
    const folder = copy();
    const read = {
      principal: IDENTITY,
      action: 's3:GetObject',
      resource: arn(`v/${VAULT}/log/1`),
      context: {},
    };
    const release = {
      principal: IDENTITY,
      action: 'kms:Decrypt',
      resource: KEY_ARN,
      context: kmsContext({ app: 'halfkey', purpose: 'share', vault: VAULT, blob: 'b' }),
    };
    const overwrite = {
      principal: IDENTITY,
      action: 's3:PutObject',
      resource: arn(`v/${VAULT}/log/1`),
      context: { 's3:ObjectCreationOperation': 'true' },
    };
    const answers = () => [read, release, overwrite].map(authorizeBy(folder));
    expect(answers()).toEqual([true, true, false]);
    edit(folder, 'vault-identity.json', '"s3:GetObject", ', '');
    expect(answers()).toEqual([false, true, false]);
    edit(folder, 'vault-identity.json', ', "share"', '');
    expect(answers()).toEqual([false, false, false]);
    edit(folder, 'bucket.json', '"s3:if-none-match": "true"', '"s3:if-none-match": "false"');
    expect(answers()).toEqual([false, false, true]);
  });

  it.each([
    ['unknown_operator', '"StringLike"', '"StringMatches"'],
    ['unknown_operator', '"StringLike"', '"ForAllValues:StringLike"'],
    ['unknown_operator', '"ForAllValues:StringEquals"', '"StringEqualsIfExists"'],
    ['unknown_element', '"Sid"', '"Comment"'],
    ['unknown_element', '"Effect": "Allow",', '"Effect": "Allow", "NotResource": "*",'],
    ['unknown_element', '"Effect": "Allow",', '"Effect": "Allow", "Principal": "*",'],
    ['unknown_element', '"Version"', '"__proto__": {}, "Version"'],
    ['unknown_condition_key', '"s3:prefix"', '"s3:prefixes"'],
    ['unknown_condition_key', '"s3:prefix"', '"__proto__"'],
    ['unknown_action', '"s3:GetObject"', '"s3:GetObjet"'],
    ['unknown_variable', 'cognito-identity.amazonaws.com:sub', 'aws:username'],
    ['unknown_placeholder', '{{bucket}}', '{{buckets}}'],
    ['unknown_placeholder', '{{bucket}}', '{{__proto__}}'],
    ['bad_value', '2012-10-17', '2008-10-17'],
    ['bad_value', '"Allow"', '"allow"'],
    ['bad_value', '"Resource"', '"Action": "s3:*", "NotAction": "s3:PutObject", "Resource"'],
    ['bad_value', '"{{kmsKeyArn}}"', '"key"'],
    ['bad_value', '["file", "inbox", "share"]', '[]'],
    ['not_json', '"Version"', 'Version'],
  ])('are refused with %s when %s becomes %s', (code, from, to) => {
    const folder = copy();
    edit(folder, 'vault-identity.json', from, to);
    expect(() => loadPolicies(folder, VALUES)).toThrow(new RegExp(`^${code}: vault-identity\\.json`));
  });

  it('are refused when one is missing, and when a value would mean something to IAM', () => {
    const folder = copy();
    rmSync(join(folder, 'bucket.json'));
    expect(() => loadPolicies(folder, VALUES)).toThrow(/^unreadable: bucket\.json: ENOENT/);
    for (const bucket of ['*', 'a?', '${x}', 'a"b', '']) {
      expect(() => loadPolicies(POLICIES, { ...VALUES, bucket })).toThrow('bad_value');
    }
  });

  it('let an identity create, read and list in its own inbox, and the broker delete and not read there', () => {
    const ask = authorizeBy(POLICIES);
    const created = { 's3:ObjectCreationOperation': 'true' };
    const questions = (principal: Principal, vault: string) => {
      const on = (action: string, context: AccessRequest['context'] = {}) =>
        ask({ principal, action, resource: arn(`v/${vault}/inbox/record`), context });
      const list = (action: string) =>
        ask({
          principal,
          action,
          resource: arn(),
          context: { 's3:prefix': `v/${vault}/inbox/` },
        });
      return {
        create: on('s3:PutObject', { ...created, 's3:if-none-match': '*' }),
        overwrite: on('s3:PutObject', created),
        read: on('s3:GetObject'),
        list: list('s3:ListBucket'),
        delete: on('s3:DeleteObject') || on('s3:DeleteObjectVersion'),
      };
    };
    const nothing = { create: false, overwrite: false, read: false, list: false, delete: false };
    expect(questions(IDENTITY, VAULT)).toEqual({ ...nothing, create: true, read: true, list: true });
    expect(questions(IDENTITY, OTHER_VAULT)).toEqual(nothing);
    expect(questions(BROKER, VAULT)).toEqual({ ...nothing, list: true, delete: true });
  });

  it('leave no placeholder in what is put on the bucket', () => {
    const { bucketPolicyText } = loadPolicies(POLICIES, VALUES);
    expect(bucketPolicyText).toContain('arn:aws:s3:::halfkey/v/*');
    expect(bucketPolicyText).not.toContain('{{');
  });
});

describe('a policy put on a bucket', () => {
  const text = (statement: object) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:PutObject',
          Resource: 'arn:aws:s3:::b/*',
          ...statement,
        },
      ],
    });

  it('may speak of what is denied to everybody, NotAction included', () => {
    const policy = parseBucketPolicy(text({ Action: undefined, NotAction: ['s3:Get*'] }));
    const ask = createAuthorize(loadPolicies(POLICIES, VALUES), () => policy);
    const may = (action: string) =>
      ask({ principal: ADMINISTRATOR, action, resource: 'arn:aws:s3:::b/x', context: {} });
    expect(may('s3:GetObject')).toBe(true);
    expect(may('s3:PutObject')).toBe(false);
  });

  it.each([
    ['', 'not_json'],
    ['null', 'bad_value'],
    ['[]', 'bad_value'],
    ['{}', 'bad_value'],
    ['['.repeat(9000) + ']'.repeat(9000), 'bad_value'],
    [text({}).replace('"Effect"', '"Effect":"Deny","Effect"'), 'bad_value'],
    [
      text({ Condition: {} }).replace('{}', '{"Null":{"s3:prefix":"true"},"Null":{"s3:if-match":"true"}}'),
      'bad_value',
    ],
    [text({ Sid: 'a' }).replace('"a"', '"a\\": \\""'), 'bad_value'],
    ['{"Version":"2012-10-17","Statement":[]}', 'bad_value'],
    [text({ Effect: 'Allow' }), 'bad_value'],
    [text({ Principal: { AWS: 'arn:aws:iam::1:root' } }), 'bad_value'],
    [text({ Principal: undefined }), 'bad_value'],
    [text({ NotPrincipal: '*' }), 'unknown_element'],
    [text({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }), 'unknown_condition_key'],
    [text({ Condition: { Bool: { 's3:ObjectCreationOperation': 'yes' } } }), 'bad_value'],
    [text({ Condition: { NumericLessThan: { 's3:signatureAge': '5 minutes' } } }), 'bad_value'],
    [
      text({ Condition: { StringLike: { 's3:prefix': '${cognito-identity.amazonaws.com:sub}' } } }),
      'unknown_variable',
    ],
    [text({ Condition: [] }), 'bad_value'],
    [text({ Sid: 'x'.repeat(20_480) }), 'bad_value'],
  ])('is refused: %#', (policy, code) => {
    expect(() => parseBucketPolicy(policy)).toThrow(code);
  });
});
