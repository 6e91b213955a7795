import {
  CreateBucketCommand,
  GetBucketCorsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  CognitoIdentityClient,
  GetCredentialsForIdentityCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { MISSING_KEYS } from '../../../support/missing-keys.ts';
import { clientOf, freshKey, ORIGIN, outcome, outcomeOf, sendRaw, useTestCloud } from './fixture.ts';

const setup = useTestCloud();

describe('the bucket of a new local cloud', () => {
  it('is versioned, allows the app by CORS, and has the policy of the repository', async () => {
    const { s3, bucket } = setup();
    const at = { Bucket: bucket };
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toContain('halfkey');
    expect((await s3.send(new HeadBucketCommand(at))).BucketRegion).toBe('us-east-1');
    expect((await s3.send(new GetBucketVersioningCommand(at))).Status).toBe('Enabled');
    const [rule] = (await s3.send(new GetBucketCorsCommand(at))).CORSRules ?? [];
    expect(rule?.AllowedOrigins).toEqual([ORIGIN]);
    expect(rule?.ExposeHeaders).toEqual(expect.arrayContaining(['ETag', 'x-amz-checksum-sha256']));
    const { Policy } = await s3.send(new GetBucketPolicyCommand(at));
    expect(JSON.parse(Policy!)).toMatchObject({ Version: '2012-10-17' });
  });
});

describe('CreateBucket', () => {
  it('makes a bucket once, of a name that S3 allows', async () => {
    const { s3 } = setup();
    const create = (Bucket: string) => outcome(s3.send(new CreateBucketCommand({ Bucket })));
    expect(await create('another')).toBe('200 OK');
    expect(await create('another')).toBe('409 BucketAlreadyOwnedByYou');
    for (const name of ['ab', 'Upper', 'a..b', '-ab', 'x'.repeat(64), 'a_b'])
      expect([name, await create(name)]).toEqual([name, '400 InvalidBucketName']);
    expect(await outcome(s3.send(new GetBucketCorsCommand({ Bucket: 'another' })))).toBe(
      '404 NoSuchCORSConfiguration',
    );
    expect(await outcome(s3.send(new GetBucketPolicyCommand({ Bucket: 'another' })))).toBe(
      '404 NoSuchBucketPolicy',
    );
  });
});

describe('CORS', () => {
  const preflight = (headers: Record<string, string>) =>
    fetch(`${setup().endpoint}/${setup().bucket}/v/x`, { method: 'OPTIONS', headers });

  it('answers a preflight of the app without a signature', async () => {
    const response = await preflight({
      origin: ORIGIN,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'if-none-match,x-amz-checksum-sha256',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(response.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(response.headers.get('access-control-allow-headers')).toBe('if-none-match, x-amz-checksum-sha256');
    expect(response.headers.get('vary')).toContain('Origin');
  });

  it.each([
    ['https://evil.example', 'PUT'],
    ['http://localhost:8788', 'PUT'],
    ['http://localhost', 'PUT'],
    ['https://localhost:8787', 'PUT'],
    ['http://localhost:87870', 'PUT'],
    ['http://127.0.0.1:8787', 'PUT'],
    ['null', 'PUT'],
    [ORIGIN, 'DELETE'],
    [ORIGIN, 'PATCH'],
  ])('refuses a preflight of %s for %s', async (origin, method) => {
    const response = await preflight({ origin, 'access-control-request-method': method });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(await outcomeOf(response)).toBe('403 AccessForbidden');
  });

  it('lets the app read answers and errors, and nobody else', async () => {
    const { s3, bucket } = setup();
    const key = freshKey();
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }));
    for (const Key of [key, `${key}x`]) {
      const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key }));
      const own = await fetch(url, { headers: { origin: ORIGIN } });
      expect(own.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(own.headers.get('access-control-expose-headers')).toContain('ETag');
      expect(own.headers.get('access-control-expose-headers')).toContain('x-amz-checksum-sha256');
      const other = await fetch(url, { headers: { origin: 'https://evil.example' } });
      expect(other.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('is what PutBucketCors says, at once', async () => {
    const { s3, endpoint } = setup();
    const Bucket = 'cors-bucket';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const ask = (origin: string, header = 'x-a') =>
      fetch(`${endpoint}/${Bucket}/k`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': header },
      });
    expect((await ask('https://a.example')).status).toBe(403);
    const rules = [
      {
        AllowedOrigins: ['https://a.example'],
        AllowedMethods: ['GET'],
        AllowedHeaders: ['x-*'],
        MaxAgeSeconds: 7,
      },
      { AllowedOrigins: ['https://*.b.example'], AllowedMethods: ['GET', 'PUT'], AllowedHeaders: ['*'] },
    ];
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: rules } }));
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(rules);
    expect((await ask('https://a.example')).headers.get('access-control-max-age')).toBe('7');
    expect((await ask('https://a.example', 'y-a')).status).toBe(403);
    expect((await ask('https://c.b.example', 'y-a')).status).toBe(200);
    expect((await ask('https://b.example')).status).toBe(403);
    const bad = { CORSRules: [{ AllowedOrigins: ['https://*.*'], AllowedMethods: ['GET'] }] };
    expect(await outcome(s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: bad })))).toBe(
      '400 InvalidRequest',
    );
  });
});

describe('the bucket policy', () => {
  it('is the one that was put, and is evaluated from then on', async () => {
    const { s3 } = setup();
    const Bucket = 'policed';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const put = (Key: string) => outcome(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })));
    const policy = (resource: string) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: resource }],
      });
    expect(await put('closed/x')).toBe('200 OK');
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policy(`arn:aws:s3:::${Bucket}/closed/*`) }));
    expect([await put('closed/x'), await put('open/x')]).toEqual(['403 AccessDenied', '200 OK']);
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policy(`arn:aws:s3:::${Bucket}/open/*`) }));
    expect([await put('closed/x'), await put('open/x')]).toEqual(['200 OK', '403 AccessDenied']);
    const broken = new PutBucketPolicyCommand({ Bucket, Policy: '{"Statement":[]' });
    expect(await outcome(s3.send(broken))).toBe('400 MalformedPolicy');
  });
});

describe('a vault identity', () => {
  it('reaches its own prefix, and learns nothing elsewhere, nor strictly read that a key is missing', async () => {
    const { cloud, bucket } = setup();
    const { description } = cloud;
    const broker = {
      accessKeyId: description.brokerAccessKeyId,
      secretAccessKey: description.brokerSecretAccessKey,
    };
    const region = description.region;
    const cognito = new CognitoIdentityClient({
      region,
      endpoint: description.cognitoEndpoint,
      credentials: broker,
    });
    const { IdentityId, Token } = await cognito.send(
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: description.identityPoolId,
        Logins: { [description.developerProviderName]: 'vault-one' },
      }),
    );
    const Logins = { 'cognito-identity.amazonaws.com': Token! };
    const { Credentials } = await cognito.send(new GetCredentialsForIdentityCommand({ IdentityId, Logins }));
    const identity = clientOf(cloud, {
      credentials: {
        accessKeyId: Credentials!.AccessKeyId!,
        secretAccessKey: Credentials!.SecretKey!,
        sessionToken: Credentials!.SessionToken!,
      },
    });
    const get = (client: typeof identity, Key: string) =>
      outcome(client.send(new GetObjectCommand({ Bucket: bucket, Key })));
    const put = (client: typeof identity, Key: string) =>
      outcome(client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x', IfNoneMatch: '*' })));
    const own = `v/${IdentityId!}`;
    expect(await put(identity, `${own}/blobs/x`)).toBe('200 OK');
    const missing = MISSING_KEYS === 'strict' ? '403 AccessDenied' : '404 NoSuchKey';
    expect(await get(identity, `${own}/log/1`)).toBe(missing);
    for (const key of ['v/us-east-1:other/blobs/x', 'a/x', `v/${IdentityId!}x/blobs/y`, own])
      expect([await get(identity, key), await put(identity, key)]).toEqual([
        '403 AccessDenied',
        '403 AccessDenied',
      ]);
    const brokerClient = clientOf(cloud, { credentials: broker });
    expect(await get(brokerClient, `${own}/blobs/x`)).toBe('403 AccessDenied');
    expect(await put(brokerClient, freshKey('a'))).toBe('200 OK');
    const url = await getSignedUrl(identity, new GetObjectCommand({ Bucket: bucket, Key: `${own}/blobs/x` }));
    expect((await fetch(url)).status).toBe(200);
    const other = new URL(url);
    other.searchParams.set('X-Amz-Security-Token', `${other.searchParams.get('X-Amz-Security-Token')!}x`);
    expect(await outcomeOf(await fetch(other))).toBe('403 InvalidAccessKeyId');
    other.searchParams.delete('X-Amz-Security-Token');
    expect(await outcomeOf(await fetch(other))).toBe('403 InvalidAccessKeyId');
  });
});

describe('a request that means something else', () => {
  it.each([
    ['PUT', '/halfkey/a/x?acl', 501],
    ['PUT', '/halfkey/a/x?tagging', 501],
    ['GET', '/halfkey?lifecycle', 501],
    ['GET', '/halfkey', 501],
    ['DELETE', '/halfkey', 501],
    ['PATCH', '/halfkey/a/x', 405],
    ['GET', '/halfkey/%', 400],
  ])('is refused before anything is done: %s %s', async (method, target, status) => {
    const { s3, endpoint } = setup();
    // Presigned for what it is, so that it is the route that refuses it.
    const { presign } = await import('./presign.ts');
    const path = await presign(s3, endpoint, method, target);
    const answer = await sendRaw(endpoint, {
      method,
      target: path,
      headers: [['host', new URL(endpoint).host]],
    });
    expect(answer.status).toBe(status);
  });
});
