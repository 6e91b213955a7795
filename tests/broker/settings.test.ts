import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../broker/entry/settings.ts';

const AWS = {
  HALFKEY_BUCKET: 'bucket',
  AWS_REGION: 'eu-central-1',
  HALFKEY_KMS_KEY: 'key',
  HALFKEY_IDENTITY_POOL: 'eu-central-1:pool',
  HALFKEY_ORIGIN: 'https://drive.example',
  HALFKEY_PROXIES: '1',
};
const LINE = {
  s3Endpoint: 'http://127.0.0.1:9000',
  kmsEndpoint: 'http://127.0.0.1:9000',
  cognitoEndpoint: 'http://127.0.0.1:9000',
  region: 'us-east-1',
  bucket: 'halfkey',
  kmsKeyId: 'k',
  identityPoolId: 'p',
  developerProviderName: 'halfkey',
  accessKeyId: 'admin',
  secretAccessKey: 'admin-secret',
  brokerAccessKeyId: 'broker',
  brokerSecretAccessKey: 'broker-secret',
};

describe('settings', () => {
  it('are complete without any variable: one box on port 8787, its cloud on the next', () => {
    expect(parseSettings({})).toEqual({
      port: 8787,
      host: '127.0.0.1',
      origin: 'http://localhost:8787',
      s3PublicUrl: undefined,
      cloud: { kind: 'local', dataFolder: './data', port: 8788 },
      signupOpen: true,
      grantSeconds: 300,
      grantReleases: 1000,
      quotaBytes: undefined,
      ratePerMinute: 120,
      proxies: 0,
      logLevel: 'info',
    });
  });

  it('want to be told of proxies where the origin is https, whatever cloud there is', () => {
    const untold: Record<string, string> = { ...AWS };
    delete untold['HALFKEY_PROXIES'];
    for (const environment of [untold, { HALFKEY_ORIGIN: 'https://drive.example' }]) {
      expect(() => parseSettings(environment)).toThrow(
        /^settings_invalid: HALFKEY_PROXIES: missing; .*how many proxies stand in front of the broker/,
      );
    }
    for (const proxies of ['0', '1', '2']) {
      expect(parseSettings({ ...untold, HALFKEY_PROXIES: proxies }).proxies).toBe(Number(proxies));
    }
  });

  it('listen on this machine alone, unless told of another address', () => {
    expect(parseSettings(AWS).host).toBe('127.0.0.1');
    expect(parseSettings({ ...AWS, HALFKEY_HOST: '0.0.0.0' }).host).toBe('0.0.0.0');
    expect(parseSettings({ HALFKEY_HOST: '::1' }).host).toBe('::1');
    for (const host of ['', 'localhost', '127.0.0.1:80', '*']) {
      expect(() => parseSettings({ HALFKEY_HOST: host })).toThrow(
        /^settings_invalid: HALFKEY_HOST: expected an IP/,
      );
    }
  });

  it('follow PORT and HALFKEY_DATA', () => {
    const settings = parseSettings({ PORT: '9000', HALFKEY_DATA: '/srv/halfkey' });
    expect(settings).toMatchObject({
      port: 9000,
      origin: 'http://localhost:9000',
      cloud: { dataFolder: '/srv/halfkey', port: 9001 },
    });
  });

  it('select AWS by HALFKEY_BUCKET, with no credentials of their own', () => {
    expect(parseSettings(AWS).cloud).toEqual({
      kind: 'given',
      cloud: {
        region: 'eu-central-1',
        bucket: 'bucket',
        kmsKeyId: 'key',
        identityPoolId: 'eu-central-1:pool',
        developerProviderName: 'halfkey',
        s3Endpoint: undefined,
        kmsEndpoint: undefined,
        cognitoEndpoint: undefined,
        credentials: undefined,
      },
    });
  });

  it("take a running local cloud with the broker's credentials, not the administrator's", () => {
    const { cloud } = parseSettings({ HALFKEY_LOCAL_CLOUD: JSON.stringify(LINE) });
    expect(cloud).toMatchObject({
      kind: 'given',
      cloud: { credentials: { accessKeyId: 'broker', secretAccessKey: 'broker-secret' } },
    });
    expect(JSON.stringify(cloud)).not.toContain('admin');
  });

  it.each(Object.keys(AWS))('refuse AWS with %s empty, and without it', (name) => {
    expect(() => parseSettings({ ...AWS, [name]: '' })).toThrow(new RegExp(`^settings_invalid: .*${name}: `));
    expect(() => parseSettings({ ...AWS, [name]: undefined })).toThrow(`settings_invalid: ${name}: missing`);
  });

  it.each(['HALFKEY_KMS_KEY', 'HALFKEY_IDENTITY_POOL', 'HALFKEY_DEVELOPER_PROVIDER', 'HALFKEY_S3_ENDPOINT'])(
    'refuse %s without a bucket: no local cloud takes the place of what was meant',
    (name) => {
      expect(() => parseSettings({ [name]: 'https://s3.example' })).toThrow('HALFKEY_BUCKET: missing');
    },
  );

  it.each(Object.keys(LINE).filter((name) => !/^(access|secret)/.test(name)))(
    'refuse a line without %s',
    (name) => {
      const line = JSON.stringify({ ...LINE, [name]: undefined });
      expect(() => parseSettings({ HALFKEY_LOCAL_CLOUD: line })).toThrow(`${name}: missing`);
    },
  );

  it.each([
    ['PORT', '0'],
    ['PORT', '65535'],
    ['PORT', '8787x'],
    ['PORT', ''],
    ['HALFKEY_ORIGIN', 'https://drive.example/'],
    ['HALFKEY_ORIGIN', 'https://drive.example/path'],
    ['HALFKEY_ORIGIN', 'http://drive.example'],
    ['HALFKEY_ORIGIN', 'http://192.168.0.2:8787'],
    ['HALFKEY_ORIGIN', 'drive.example'],
    ['HALFKEY_ORIGIN', 'null'],
    ['HALFKEY_S3_PUBLIC_URL', 's3.example'],
    ['HALFKEY_S3_PUBLIC_URL', 'ftp://s3.example'],
    ['HALFKEY_S3_PUBLIC_URL', 'https://drive.example/s3'],
    ['HALFKEY_S3_PUBLIC_URL', 'https://user@s3.example'],
    ['HALFKEY_S3_PUBLIC_URL', 'https://s3.example?x'],
    ['HALFKEY_SIGNUP', 'yes'],
    ['HALFKEY_GRANT_SECONDS', '301'],
    ['HALFKEY_GRANT_RELEASES', '1001'],
    ['HALFKEY_GRANT_RELEASES', '0'],
    ['HALFKEY_GRANT_RELEASES', '-1'],
    ['HALFKEY_QUOTA_BYTES', '1.5'],
    ['HALFKEY_RATE_PER_MINUTE', 'Infinity'],
    ['LOG_LEVEL', 'loud'],
    ['HALFKEY_DATA', ''],
    ['HALFKEY_LOCAL_CLOUD', '{'],
  ])('refuse %s=%j', (name, value) => {
    expect(() => parseSettings({ [name]: value })).toThrow(new RegExp(`^settings_invalid: ${name}`));
  });

  it('refuse a bucket with dots on AWS itself, whose host is no bucket’s own', () => {
    const dotted = { ...AWS, HALFKEY_BUCKET: 'my.bucket' };
    expect(() => parseSettings(dotted)).toThrow(
      /^settings_invalid: HALFKEY_BUCKET: expected a name without dots/,
    );
    const elsewhere = parseSettings({ ...dotted, HALFKEY_S3_ENDPOINT: 'https://s3.example' });
    expect(elsewhere.cloud).toMatchObject({ cloud: { bucket: 'my.bucket' } });
  });

  it('say every fault at once, and no value', () => {
    const environment = { ...AWS, PORT: 'secret-1', HALFKEY_SIGNUP: 'secret-2', AWS_REGION: undefined };
    let message = '';
    try {
      parseSettings(environment);
    } catch (error) {
      message = (error as Error).message;
    }
    for (const name of ['PORT', 'HALFKEY_SIGNUP', 'AWS_REGION']) expect(message).toContain(`${name}: `);
    expect(message).not.toContain('secret');
  });
});
