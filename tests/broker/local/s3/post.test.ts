import { createHmac } from 'node:crypto';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  bytesOf,
  codeOf,
  freshKey,
  type HeaderList,
  outcome,
  outcomeOf,
  sendBeginning,
  sha256B64,
  useTestCloud,
} from './fixture.ts';

const setup = useTestCloud();

interface PostOptions {
  readonly conditions?: readonly unknown[];
  readonly extra?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly expiresInMs?: number;
  readonly change?: (fields: Map<string, string>) => void;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** A form as AWS documents it, signed here from the definition and not by the code under test. */
function signedFields(key: string, options: PostOptions = {}): Map<string, string> {
  const { bucket, cloud } = setup();
  const { accessKeyId, secretAccessKey } = cloud.description;
  const amzDate = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const date = amzDate.slice(0, 8);
  const signed = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${accessKeyId}/${date}/us-east-1/s3/aws4_request`,
    'x-amz-date': amzDate,
  };
  const policy = {
    expiration: new Date(Date.now() + (options.expiresInMs ?? 60_000)).toISOString(),
    conditions: [
      { bucket },
      ['starts-with', '$key', 'a/'],
      ...Object.entries(signed).map(([name, value]) => ({ [name]: value })),
      ...(options.conditions ?? [['content-length-range', 1, 1000]]),
    ],
  };
  const policyB64 = Buffer.from(JSON.stringify(policy)).toString('base64');
  const signingKey = hmac(
    hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), 'us-east-1'), 's3'),
    'aws4_request',
  );
  const fields = new Map(Object.entries({ key, ...signed, policy: policyB64, ...options.extra }));
  fields.set('x-amz-signature', hmac(signingKey, policyB64).toString('hex'));
  options.change?.(fields);
  return fields;
}

async function post(key: string, options: PostOptions = {}): Promise<Response> {
  const { endpoint, bucket } = setup();
  const form = new FormData();
  for (const [name, value] of signedFields(key, options)) form.append(name, value);
  form.append('file', new Blob([options.body ?? bytesOf(10)]), 'name.bin');
  return fetch(`${endpoint}/${bucket}`, { method: 'POST', body: form });
}

async function read(Key: string): Promise<Buffer> {
  const got = await setup().s3.send(new GetObjectCommand({ Bucket: setup().bucket, Key }));
  return Buffer.from(await got.Body!.transformToByteArray());
}

describe('a presigned POST', () => {
  let key = '';
  beforeEach(() => {
    key = freshKey();
  });

  it.each([1, 999, 1000])('stores %i bytes within its content-length-range', async (sizeBytes) => {
    const body = bytesOf(sizeBytes);
    const response = await post(key, { body });
    expect(response.status).toBe(204);
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await read(key)).toEqual(Buffer.from(body));
  });

  it.each([
    [0, '400 EntityTooSmall'],
    [1001, '400 EntityTooLarge'],
    [3_000_000, '400 EntityTooLarge'],
  ])('refuses %i bytes, and stores nothing', async (sizeBytes, expected) => {
    expect(await outcomeOf(await post(key, { body: bytesOf(sizeBytes) }))).toBe(expected);
    expect(await outcome(read(key))).toBe('404 NoSuchKey');
  });

  it('takes a body that is bigger than memory buffers, with its checksum', async () => {
    const body = bytesOf(20_000_000);
    const checksum = { 'x-amz-checksum-sha256': sha256B64(body) };
    const conditions = [['content-length-range', 0, 30_000_000], checksum];
    expect((await post(key, { body, conditions, extra: checksum })).status).toBe(204);
    expect((await read(key)).equals(body)).toBe(true);
    const other = freshKey();
    const wrong = await post(other, { body: bytesOf(20_000_000), conditions, extra: checksum });
    expect(await outcomeOf(wrong)).toBe('400 BadDigest');
    expect(await outcome(read(other))).toBe('404 NoSuchKey');
  });

  it('answers with the status that was asked for, and fills in the file name', async () => {
    const extra = { success_action_status: '201' };
    const conditions = [['eq', '$success_action_status', '201']];
    const response = await post(`${key}/\${filename}`, { extra, conditions });
    expect(response.status).toBe(201);
    expect(await response.text()).toContain(`<Key>${key}/name.bin</Key>`);
  });

  it('is refused for a field that no condition covers, or that differs', async () => {
    const extra = { 'Content-Type': 'text/html' };
    expect(await outcomeOf(await post(key, { extra }))).toBe('403 AccessDenied');
    const conditions = [{ 'Content-Type': 'text/plain' }];
    expect(await outcomeOf(await post(key, { extra, conditions }))).toBe('403 AccessDenied');
    expect(await outcomeOf(await post('b/x'))).toBe('403 AccessDenied');
  });

  it('is refused when it has expired', async () => {
    expect(await outcomeOf(await post(key, { expiresInMs: -1000 }))).toBe('403 AccessDenied');
  });

  it.each(['key', 'policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature'])(
    'is refused without %s, and with another',
    async (name) => {
      const removed = await post(key, { change: (fields) => fields.delete(name) });
      expect([400, 403]).toContain(removed.status);
      const changed = await post(key, { change: (fields) => fields.set(name, `x${fields.get(name) ?? ''}`) });
      expect([400, 403]).toContain(changed.status);
      expect(await outcome(read(key))).toBe('404 NoSuchKey');
    },
  );

  it('cannot make an object under v/, for which a form has no If-None-Match', async () => {
    const conditions = [['starts-with', '$key', '']];
    const change = (fields: Map<string, string>) => fields.set('key', 'v/x');
    expect(await outcomeOf(await post(key, { conditions, change }))).toBe('403 AccessDenied');
  });

  it('is refused when it is no form', async () => {
    const { endpoint, bucket } = setup();
    const send = (contentType: string, body: string) =>
      fetch(`${endpoint}/${bucket}`, { method: 'POST', headers: { 'content-type': contentType }, body });
    expect(await outcomeOf(await send('multipart/form-data', ''))).toBe('400 MalformedPOSTRequest');
    expect((await send('multipart/form-data; boundary=x', '--x--')).status).toBe(400);
    expect((await send('multipart/form-data; boundary=x', '--x\r\ncontent-disp')).status).toBe(400);
  });

  describe('of 40 MB is answered before it has come', () => {
    const TOTAL_BYTES = 40_000_000;
    const part = (name: string, value: string, more = '') =>
      `--x\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
    const fileHead = '--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n';
    const formOf = (fields: ReadonlyMap<string, string>) =>
      [...fields].map(([name, value]) => part(name, value)).join('');
    const begin = (text: string, headers: HeaderList = [['content-length', String(TOTAL_BYTES)]]) =>
      sendBeginning(setup().endpoint, {
        target: `/${setup().bucket}`,
        headers: [['content-type', 'multipart/form-data; boundary=x'], ...headers],
        begin: Buffer.from(text),
      });
    const outcomeOfBeginning = async (text: string, headers?: HeaderList) => {
      const answer = await begin(text, headers);
      return `${String(answer.status)} ${codeOf(answer.text)}`;
    };
    const filler = 'a'.repeat(1024 * 1024);

    it.each([
      ['in a field', () => `--x\r\ncontent-disposition: form-data; name="key"\r\n\r\n${filler}`],
      ['before the first field', () => filler],
      ['in a header', () => `--x\r\ncontent-disposition: form-data; name="${filler}`],
      ['in many fields', () => part('k', 'v').repeat(12_000)],
      [
        'in fields of many names',
        () => Array.from({ length: 59 }, (_, n) => part(`k${String(n)}`, filler.slice(0, 9_000))).join(''),
      ],
    ])('when they are %s', async (_where, text) => {
      expect(await outcomeOfBeginning(text())).toMatch(
        /^400 Ma(xPostPreDataLengthExceeded|lformedPOSTRequest)$/,
      );
    });

    it('when the fields are refused', async () => {
      const unsigned = signedFields(key, {
        change: (fields) => fields.set('x-amz-signature', '0'.repeat(64)),
      });
      expect(await outcomeOfBeginning(formOf(unsigned) + fileHead + 'file')).toBe(
        '403 SignatureDoesNotMatch',
      );
    });

    it('when they allow no file as long as the form', async () => {
      expect(await outcomeOfBeginning(formOf(signedFields(key)) + fileHead + 'file')).toBe(
        '400 EntityTooLarge',
      );
    });

    it('when it does not say how long it is', async () => {
      const chunked: HeaderList = [['transfer-encoding', 'chunked']];
      expect(await outcomeOfBeginning('', chunked)).toBe('411 MissingContentLength');
    });

    it('and is waited for when they do', async () => {
      const conditions = [['content-length-range', 0, TOTAL_BYTES]];
      const text = formOf(signedFields(key, { conditions })) + fileHead + filler;
      const waited = new Promise((resolve) => setTimeout(resolve, 500, 'no answer'));
      expect(await Promise.race([begin(text), waited])).toBe('no answer');
    });
  });
});

describe('a request of another kind that says that it is too long', () => {
  it.each([
    ['TrentService.Decrypt', '413'],
    ['AWSCognitoIdentityService.GetId', '413'],
  ])('to %s is answered before it has come', async (target, status) => {
    const answer = await sendBeginning(setup().endpoint, {
      target: '/',
      headers: [
        ['x-amz-target', target],
        ['content-length', '40000000'],
      ],
      begin: Buffer.from('{'),
    });
    expect(String(answer.status)).toBe(status);
    expect(answer.text).toContain('RequestEntityTooLargeException');
  });
});
