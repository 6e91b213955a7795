import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeChunked, STREAMING } from '../../../../broker/local/sigv4/chunked.ts';
import {
  canonicalRequest,
  sha256Hex,
  sign,
  signingKey,
  stringToSign,
} from '../../../../broker/local/sigv4/canonical.ts';
import { parseTarget, WireHeaders } from '../../../../broker/local/http-headers.ts';
import {
  bytesOf,
  clientOf,
  codeOf,
  freshKey,
  sendRaw,
  sha256B64,
  useTestCloud,
  type HeaderList,
} from './fixture.ts';

const setup = useTestCloud();

async function read(Key: string): Promise<Uint8Array> {
  const got = await setup().s3.send(new GetObjectCommand({ Bucket: setup().bucket, Key }));
  return got.Body!.transformToByteArray();
}

describe('a body in aws-chunked framing, as the SDK streams it', () => {
  it.each([
    ['CRC32', 0],
    ['CRC32', 70_000],
    ['SHA256', 3_000_000],
  ] as const)('with a trailing %s, %i bytes', async (ChecksumAlgorithm, sizeBytes) => {
    const { cloud, bucket } = setup();
    const client = clientOf(cloud, { requestChecksumCalculation: 'WHEN_SUPPORTED' });
    const body = bytesOf(sizeBytes);
    const key = freshKey();
    const made = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: Readable.from([body.subarray(0, 10), body.subarray(10)], { objectMode: false }),
        ContentLength: sizeBytes,
        ChecksumAlgorithm,
      }),
    );
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(body));
    const checksums = { CRC32: crc.toString('base64'), SHA256: sha256B64(body) };
    expect(made[`Checksum${ChecksumAlgorithm}`]).toBe(checksums[ChecksumAlgorithm]);
    expect(Buffer.compare(await read(key), body)).toBe(0);
    client.destroy();
  });
});

interface Chunked {
  readonly marker: keyof typeof STREAMING;
  readonly chunks: readonly Uint8Array[];
  readonly trailer?: readonly [name: string, value: string];
  readonly decodedBytes?: number;
  /** Changes the frames before they are sent. */
  readonly tamper?: (frames: string[]) => void;
}

/** Signs and frames a PUT as AWS's "Signature calculations: transferring payload in multiple chunks" says. */
async function putChunked(key: string, { marker, chunks, trailer, decodedBytes, tamper }: Chunked) {
  const { endpoint, bucket, cloud } = setup();
  const { accessKeyId, secretAccessKey } = cloud.description;
  const { signed, trailer: hasTrailer } = STREAMING[marker];
  const amzDate = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = { date: amzDate.slice(0, 8), region: 'us-east-1', service: 's3' };
  const key4 = signingKey(secretAccessKey, scope);
  const totalBytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const fields: [string, string][] = [
    ['content-encoding', 'aws-chunked'],
    ['host', new URL(endpoint).host],
    ['x-amz-content-sha256', marker],
    ['x-amz-date', amzDate],
    ['x-amz-decoded-content-length', String(decodedBytes ?? totalBytes)],
  ];
  if (trailer) fields.push(['x-amz-trailer', trailer[0]]);
  const signedHeaders = fields.map(([name]) => name);
  const target = `/${bucket}/${key}`;
  const canonical = canonicalRequest({
    method: 'PUT',
    ...parseTarget(target)!,
    headers: new WireHeaders(fields.flat()),
    signedHeaders,
    payloadHash: marker,
  });
  let previous = sign(key4, stringToSign(amzDate, scope, canonical));
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.date}/us-east-1/s3/aws4_request, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${previous}`;
  const scopeText = `${scope.date}/us-east-1/s3/aws4_request`;
  const chain = (kind: string, hashes: string) => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, amzDate, scopeText, previous, hashes].join('\n');
    previous = createHmac('sha256', key4).update(text).digest('hex');
    return previous;
  };
  const frames: string[] = [];
  for (const chunk of [...chunks, new Uint8Array()]) {
    const signature = chain('PAYLOAD', `${sha256Hex('')}\n${sha256Hex(chunk)}`);
    const size = chunk.length.toString(16);
    const data = Buffer.from(chunk).toString('latin1');
    frames.push(
      `${size}${signed ? `;chunk-signature=${signature}` : ''}\r\n${chunk.length > 0 ? `${data}\r\n` : ''}`,
    );
  }
  if (hasTrailer && trailer) {
    frames.push(`${trailer.join(':')}\r\n`);
    if (signed)
      frames.push(`x-amz-trailer-signature:${chain('TRAILER', sha256Hex(`${trailer.join(':')}\n`))}\r\n`);
  }
  frames.push('\r\n');
  tamper?.(frames);
  const body = Buffer.from(frames.join(''), 'latin1');
  const headers: HeaderList = [
    ...fields,
    ['authorization', authorization],
    ['content-length', String(body.length)],
  ];
  const { status, text } = await sendRaw(endpoint, { method: 'PUT', target, headers, body });
  return status === 200 ? '200' : `${String(status)} ${codeOf(text)}`;
}

describe('a body in aws-chunked framing', () => {
  const chunks = [bytesOf(70_000), bytesOf(8192), bytesOf(1)];
  const whole = Buffer.concat(chunks);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(whole));
  const trailer = ['x-amz-checksum-crc32', crc.toString('base64')] as const;
  const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
  const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
  const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

  it.each([
    { marker: SIGNED, chunks },
    { marker: SIGNED_TRAILER, chunks, trailer },
    { marker: UNSIGNED_TRAILER, chunks, trailer },
    { marker: SIGNED, chunks: [] },
  ] as const)('$marker is decoded, and its signatures hold', async (body) => {
    const key = freshKey();
    expect(await putChunked(key, body)).toBe('200');
    expect(Buffer.compare(await read(key), Buffer.concat(body.chunks))).toBe(0);
  });

  const flip = (text: string, index: number) =>
    text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ 1) + text.slice(index + 1);
  const refusals: readonly (readonly [string, Chunked, string])[] = [
    [
      'data',
      { marker: SIGNED, chunks, tamper: (f) => (f[0] = flip(f[0]!, 500)) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'the last byte',
      { marker: SIGNED, chunks, tamper: (f) => (f[2] = flip(f[2]!, f[2]!.length - 3)) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'a chunk signature',
      { marker: SIGNED, chunks, tamper: (f) => (f[1] = f[1]!.replace(/=.{4}/, '=0000')) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'no chunk signature',
      { marker: SIGNED, chunks, tamper: (f) => (f[1] = f[1]!.replace(/;[^\r]*/, '')) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'the order',
      { marker: SIGNED, chunks: [bytesOf(9), bytesOf(9)], tamper: (f) => f.splice(0, 2, f[1]!, f[0]!) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'a chunk left out',
      { marker: SIGNED, chunks, tamper: (f) => f.splice(1, 1) },
      '403 SignatureDoesNotMatch',
    ],
    ['the end left out', { marker: SIGNED, chunks, tamper: (f) => f.splice(3) }, '400 IncompleteBody'],
    ['more than announced', { marker: SIGNED, chunks, decodedBytes: 10 }, '400 IncompleteBody'],
    ['less than announced', { marker: SIGNED, chunks, decodedBytes: 100_000 }, '400 IncompleteBody'],
    ['bytes behind the end', { marker: SIGNED, chunks, tamper: (f) => f.push('more') }, '400 InvalidRequest'],
    [
      'a size that is no number',
      { marker: SIGNED, chunks, tamper: (f) => (f[0] = `x${f[0]!}`) },
      '400 InvalidRequest',
    ],
    [
      'the trailer',
      { marker: SIGNED_TRAILER, chunks, trailer, tamper: (f) => (f[4] = flip(f[4]!, 24)) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'no trailer signature',
      { marker: SIGNED_TRAILER, chunks, trailer, tamper: (f) => f.splice(5, 1) },
      '403 SignatureDoesNotMatch',
    ],
    [
      'an unsigned trailer',
      { marker: UNSIGNED_TRAILER, chunks, trailer: [trailer[0], 'AAAAAA=='] },
      '400 BadDigest',
    ],
    [
      'the announced trailer left out',
      { marker: UNSIGNED_TRAILER, chunks, trailer, tamper: (f) => f.splice(4, 1) },
      '400 InvalidRequest',
    ],
  ];

  it.each(refusals)('is refused and leaves no object: %s', async (_, body, expected) => {
    const key = freshKey();
    expect(await putChunked(key, body)).toBe(expected);
    await expect(read(key)).rejects.toThrow(expect.objectContaining({ name: 'NoSuchKey' }));
  });

  it('is decoded however the network cuts it', async () => {
    const framed = Buffer.from('5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(framed.length), { maxLength: 12 }), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), framed.length];
        const pieces = places.slice(1).map((end, index) => framed.subarray(places[index], end));
        const { bytes, trailers } = decodeChunked(
          Readable.from(pieces),
          STREAMING[UNSIGNED_TRAILER],
          undefined,
          11,
        );
        const hash = createHash('sha256');
        for await (const piece of bytes) hash.update(piece);
        expect(hash.digest('hex')).toBe(sha256Hex('hello world'));
        expect(trailers.get('x-amz-checksum-crc32')).toBe('DUoRhQ==');
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});
