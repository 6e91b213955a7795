import { GetObjectCommand, PutObjectCommand, UploadPartCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { parseTarget, WireHeaders } from '../../../../broker/local/http-headers.ts';
import { verifySignature } from '../../../../broker/local/sigv4/verify.ts';
import {
  bytesOf,
  clientOf,
  codeOf,
  freshKey,
  outcome,
  outcomeOf,
  sendRaw,
  sha256B64,
  UNHOISTABLE,
  useTestCloud,
  type HeaderList,
} from '../s3/fixture.ts';

interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array<ArrayBuffer>;
}

const setup = useTestCloud();

/** Has the SDK sign a command, and takes the request away before it is sent. */
async function signed(client: S3Client, command: PutObjectCommand): Promise<SignedRequest> {
  let taken: SignedRequest | undefined;
  const body = command.input.Body as Uint8Array<ArrayBuffer>;
  command.middlewareStack.add(
    () => (args) => {
      const request = args.request as {
        method: string;
        path: string;
        query: Record<string, string>;
        headers: Record<string, string>;
      };
      const query = new URLSearchParams(request.query).toString();
      const headers = Object.entries(request.headers);
      taken = { method: request.method, target: `${request.path}?${query}`, headers, body };
      throw new Error('taken');
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await client.send(command).catch(() => undefined);
  if (!taken) throw new Error('the SDK did not get as far as to sign');
  return taken;
}

const signedNames = (headers: HeaderList): string[] =>
  /SignedHeaders=([^,]+)/
    .exec(headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '')?.[1]
    ?.split(';') ?? [];

const isNamed =
  (wanted: string) =>
  ([name]: readonly [string, string]): boolean =>
    name.toLowerCase() === wanted;

/** Values that differ from the signed one in ways that the header itself allows. */
const altered = (name: string, value: string): string[] => {
  if (name === 'content-length') return [String(Number(value) + 1), String(Number(value) - 1), '0'];
  if (name === 'x-amz-date')
    return ['20200101T000000Z', value.replace(/\dZ$/, (end) => (end === '0Z' ? '1Z' : '0Z')), 'x'];
  return [`${value}x`, 'other', ''];
};

const tamperings = ['altered', 'removed', 'duplicated', 'duplicated with another value'] as const;

function tamper(headers: HeaderList, name: string, how: (typeof tamperings)[number]): HeaderList[] {
  const isIt = isNamed(name);
  const [, value = ''] = headers.find(isIt) ?? [];
  switch (how) {
    case 'altered':
      return altered(name, value).map((other) =>
        headers.map((header) => (isIt(header) ? [header[0], other] : header)),
      );
    case 'removed':
      return [headers.filter((header) => !isIt(header))];
    case 'duplicated':
      return [
        [...headers, [name, value]],
        [[name, value], ...headers],
      ];
    case 'duplicated with another value':
      return altered(name, value).flatMap((other) => [
        [...headers, [name, other] as const],
        [[name, other] as const, ...headers],
      ]);
  }
}

async function expectAllRefused(request: SignedRequest, names: readonly string[]): Promise<void> {
  for (const name of names) {
    for (const how of tamperings) {
      for (const headers of tamper(request.headers, name, how)) {
        const { status, text } = await sendRaw(setup().endpoint, { ...request, headers });
        expect(`${name} ${how}: ${String(status)}`).toBe(`${name} ${how}: 403`);
        expect(codeOf(text)).not.toBe('no code');
      }
    }
  }
}

describe('a signature in headers', () => {
  const put = () => {
    const body = bytesOf(100);
    const { bucket, cloud } = setup();
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: freshKey(),
      Body: body,
      ContentType: 'text/plain',
      IfNoneMatch: '*',
      ChecksumSHA256: sha256B64(body),
      Metadata: { name: 'value' },
    });
    return signed(clientOf(cloud), command);
  };

  it('is accepted as the SDK sends it', async () => {
    const request = await put();
    const { status } = await sendRaw(setup().endpoint, request);
    expect(status).toBe(200);
  });

  it('is refused with each signed header altered, removed or duplicated', async () => {
    const request = await put();
    const names = signedNames(request.headers);
    expect(names).toEqual(
      expect.arrayContaining(['host', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-meta-name']),
    );
    expect(names).toEqual(
      expect.arrayContaining(['content-length', 'x-amz-checksum-sha256', 'if-none-match']),
    );
    await expectAllRefused(request, names);
  });

  it('is refused with an x-amz- header that is not signed', async () => {
    const request = await put();
    for (const header of ['x-amz-meta-added', 'x-amz-acl', 'X-Amz-Checksum-CRC32']) {
      const headers: HeaderList = [...request.headers, [header, 'x']];
      const { status, text } = await sendRaw(setup().endpoint, { ...request, headers });
      expect([status, codeOf(text)]).toEqual([403, 'AccessDenied']);
      expect(text).toContain(`<HeadersNotSigned>${header.toLowerCase()}</HeadersNotSigned>`);
    }
  });

  it('is refused for another method, path or query', async () => {
    const request = await put();
    for (const change of [
      { method: 'POST' },
      { target: request.target.replace('/a/', '/b/') },
      { target: `${request.target}&uploadId=x&partNumber=1` },
    ]) {
      const { status } = await sendRaw(setup().endpoint, { ...request, ...change });
      expect(status).toBe(403);
    }
  });

  it('covers the body by x-amz-content-sha256', async () => {
    const request = await put();
    const { status, text } = await sendRaw(setup().endpoint, { ...request, body: bytesOf(100) });
    expect([status, codeOf(text)]).toEqual([400, 'XAmzContentSHA256Mismatch']);
  });

  it('is refused for an unknown key, another secret, and a token that belongs to nobody', async () => {
    const { cloud, bucket } = setup();
    const { accessKeyId, secretAccessKey } = cloud.description;
    const list = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
      outcome(clientOf(cloud, { credentials }).send(new GetObjectCommand({ Bucket: bucket, Key: 'x' })));
    expect(await list({ accessKeyId: 'AKIAUNKNOWN', secretAccessKey })).toBe('403 InvalidAccessKeyId');
    expect(await list({ accessKeyId, secretAccessKey: 'x' })).toBe('403 SignatureDoesNotMatch');
    expect(await list({ accessKeyId, secretAccessKey, sessionToken: 'x' })).toBe('403 InvalidAccessKeyId');
  });

  it('is refused for another region', async () => {
    const { cloud, bucket } = setup();
    const client = clientOf(cloud, { region: 'eu-central-1' });
    const got = await outcome(client.send(new GetObjectCommand({ Bucket: bucket, Key: 'x' })));
    expect(got).toBe('400 AuthorizationHeaderMalformed');
  });

  it('is needed', async () => {
    const { endpoint, bucket } = setup();
    expect(await outcomeOf(await fetch(`${endpoint}/${bucket}/a/x`))).toBe('403 AccessDenied');
    expect(await outcomeOf(await fetch(`${endpoint}/`))).toBe('403 AccessDenied');
  });
});

describe('a presigned URL', () => {
  const sizeBytes = 100;

  const presigned = async (client = setup().s3) => {
    const body = bytesOf(sizeBytes);
    const url = await getSignedUrl(
      client,
      new PutObjectCommand({
        Bucket: setup().bucket,
        Key: freshKey(),
        ContentLength: sizeBytes,
        ChecksumSHA256: sha256B64(body),
        IfNoneMatch: '*',
      }),
      { expiresIn: 300, unhoistableHeaders: UNHOISTABLE },
    );
    const { host, pathname, search } = new URL(url);
    const headers: HeaderList = [
      ['host', host],
      ['content-length', String(sizeBytes)],
      ['if-none-match', '*'],
      ['x-amz-checksum-sha256', sha256B64(body)],
    ];
    return { url, method: 'PUT', target: pathname + search, headers, body };
  };

  it('is accepted with its headers, and refused with each altered, removed or duplicated', async () => {
    const request = await presigned();
    const names = new URL(request.url).searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? [];
    expect(names).toEqual(['content-length', 'host', 'if-none-match', 'x-amz-checksum-sha256']);
    await expectAllRefused(request, names);
    expect((await sendRaw(setup().endpoint, request)).status).toBe(200);
    expect((await sendRaw(setup().endpoint, request)).status).toBe(412);
  });

  it('is refused with an x-amz- header that is not signed', async () => {
    const request = await presigned();
    const { status } = await sendRaw(setup().endpoint, {
      ...request,
      headers: [...request.headers, ['x-amz-meta-added', 'x']],
    });
    expect(status).toBe(403);
  });

  it('is refused with any parameter of its query changed, removed or added', async () => {
    const { s3, bucket } = setup();
    const url = new URL(
      await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: 'a/x' }), { expiresIn: 60 }),
    );
    const names = [...url.searchParams.keys()];
    expect(names).toContain('X-Amz-Signature');
    for (const name of names) {
      for (const change of ['changed', 'removed', 'doubled']) {
        const other = new URL(url);
        if (change === 'removed') other.searchParams.delete(name);
        else if (change === 'changed') other.searchParams.set(name, `${other.searchParams.get(name) ?? ''}1`);
        else other.searchParams.append(name, other.searchParams.get(name) ?? '');
        const { status } = await fetch(other);
        // A malformed query is 400, as on AWS; none is let through.
        expect([400, 403], `${name} ${change}`).toContain(status);
      }
    }
    url.searchParams.append('versionId', 'null');
    expect(await outcomeOf(await fetch(url))).toBe('403 SignatureDoesNotMatch');
  });

  it('gives a part no other length, and no other number', async () => {
    const { s3, bucket, endpoint } = setup();
    const command = new UploadPartCommand({
      Bucket: bucket,
      Key: 'v/x',
      UploadId: 'u',
      PartNumber: 1,
      ContentLength: 4,
    });
    const url = new URL(await getSignedUrl(s3, command, { expiresIn: 60 }));
    const target = url.pathname + url.search;
    const tooLong = await sendRaw(endpoint, {
      method: 'PUT',
      target,
      headers: [
        ['host', url.host],
        ['content-length', '5000000000'],
      ],
    });
    expect(tooLong.status).toBe(403);
    url.searchParams.set('partNumber', '2');
    expect((await fetch(url, { method: 'PUT', body: 'four' })).status).toBe(403);
  });
});

describe('time', () => {
  const nowMs = Date.parse('2026-11-21T12:00:00Z');
  const clocked = useTestCloud({ nowMs: () => nowMs });
  const minute = 60_000;

  const getAt = async (signedAtMs: number, expiresIn: number) => {
    const { s3, bucket } = clocked();
    const command = new GetObjectCommand({ Bucket: bucket, Key: 'a/x' });
    return fetch(await getSignedUrl(s3, command, { expiresIn, signingDate: new Date(signedAtMs) }));
  };

  it.each([
    ['at once', 0, 60, '404 NoSuchKey'],
    ['at its last second', 60_000, 60, '404 NoSuchKey'],
    ['a second later', 61_000, 60, '403 AccessDenied'],
    ['signed 15 minutes ahead', -15 * minute, 60, '404 NoSuchKey'],
    ['signed further ahead', -15 * minute - 1000, 60, '403 AccessDenied'],
    ['for longer than five minutes, within them', 5 * minute, 600, '404 NoSuchKey'],
    ['for longer than five minutes, after them', 5 * minute + 1000, 600, '403 AccessDenied'],
  ])('says whether a presigned URL is good: %s', async (_, ageMs, expiresIn, expected) => {
    expect(await outcomeOf(await getAt(nowMs - ageMs, expiresIn))).toBe(expected);
  });

  it('of a presigned URL is seven days at most, says the SDK', async () => {
    await expect(getAt(nowMs, 604_801)).rejects.toThrow();
  });

  // Half a minute from the boundary, because the SDK's clock runs on.
  it.each([
    [0, '404 NoSuchKey'],
    [14.5 * minute, '404 NoSuchKey'],
    [-14.5 * minute, '404 NoSuchKey'],
    [15.5 * minute, '403 RequestTimeTooSkewed'],
    [-15.5 * minute, '403 RequestTimeTooSkewed'],
    [60 * minute, '403 RequestTimeTooSkewed'],
  ])('says whether a request is good that was signed %i ms ago', async (ageMs, expected) => {
    const { cloud, bucket } = clocked();
    const client = clientOf(cloud, { systemClockOffset: nowMs - ageMs - Date.now() });
    expect(await outcome(client.send(new GetObjectCommand({ Bucket: bucket, Key: 'a/x' })))).toBe(expected);
  });
});

describe('a signature that AWS has published', () => {
  // AWS, "Signature Calculations for the Authorization Header": GET Object, 20130524.
  const headers = [
    ['Host', 'examplebucket.s3.amazonaws.com'],
    ['Range', 'bytes=0-9'],
    ['x-amz-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['x-amz-date', '20130524T000000Z'],
    [
      'Authorization',
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
        'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,' +
        'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
  ].flat();
  const credential = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    principal: { kind: 'administrator' },
  } as const;
  const verifier = {
    findCredential: (id: string) => (id === credential.accessKeyId ? credential : undefined),
    region: 'us-east-1',
    nowMs: () => Date.parse('2013-05-24T00:00:00Z'),
  };
  const verify = (url: string, rawHeaders: readonly string[]) => {
    const target = parseTarget(url);
    if (!target) throw new Error('malformed');
    const wire = new WireHeaders(rawHeaders);
    const payloadHash = wire.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD';
    return verifySignature({ method: 'GET', ...target, headers: wire, service: 's3', payloadHash }, verifier);
  };

  it('is right over signed headers', () => {
    expect(verify('/test.txt', headers)?.principal).toEqual({ kind: 'administrator' });
    expect(() => verify('/test.tx', headers)).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });

  it('is right over a presigned URL', () => {
    const url =
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
    expect(verify(url, headers.slice(0, 2))?.authType).toBe('REST-QUERY-STRING');
  });
});
