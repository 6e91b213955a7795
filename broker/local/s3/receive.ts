import { invalidArgument, invalidRequest, Refusal } from '../refusal.ts';
import { decodeChunked, STREAMING, type StreamingForm } from '../sigv4/chunked.ts';
import { BodyDigests, type BodyDigestValues } from '../store/body-digests.ts';
import type { Bucket } from '../store/bucket.ts';
import { spool, type SpooledBody } from '../store/spool.ts';
import type { Checksum } from '../store/version.ts';
import type { S3Call } from './call.ts';
import { expectedChecksum, verifyChecksum } from './checksums.ts';

/** A body that has arrived whole and is what its sender said it is. */
export interface Received {
  readonly body: SpooledBody;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
}

/** S3's limit for one PUT and for one part. */
const MAXIMUM_BODY_BYTES = 5 * 1024 ** 3;
const STREAMING_FORMS: ReadonlyMap<string, StreamingForm> = new Map(Object.entries(STREAMING));

/**
 * Takes in the body of a PutObject or UploadPart, with constant memory. Nothing stays behind when it is refused.
 * @throws {Refusal} 400 for a digest, length or signature that does not hold, 411 without a length
 */
export async function receiveBody(call: S3Call, bucket: Bucket, inlineBytes: number): Promise<Received> {
  const { headers, payloadHash } = call;
  const expected = expectedChecksum((name) => headers.get(name));
  const md5 = parseMd5(headers.get('content-md5'));
  const { bytes, trailers } = framedBody(call);
  const digests = new BodyDigests({
    sha256: expected?.algorithm === 'SHA256' || isHash(payloadHash),
    crc32: expected?.algorithm === 'CRC32',
    md5: expected?.algorithm !== 'SHA256' || md5 !== undefined,
  });
  const body = await spool(bytes, bucket.files, digests, inlineBytes);
  try {
    const values = digests.finish();
    checkPayloadHash(payloadHash, values);
    if (md5 !== undefined && values.md5B64 !== md5)
      throw new Refusal(400, 'BadDigest', 'the Content-MD5 you specified did not match what we received');
    return { body, etag: values.etag, checksum: verifyChecksum(expected, trailers, values) };
  } catch (error) {
    if (body.file) await bucket.files.remove([body.file]);
    throw error;
  }
}

/**
 * Reads a small body whole, for the operations that take XML or JSON. With `ignoreChecksums` the `x-amz-checksum-…`
 * headers are taken to speak of something else, as those of a completion do of the object.
 * @throws {Refusal} 400 when it is longer than `maximumBytes`, or a digest does not hold
 */
export async function receiveDocument(
  call: S3Call,
  maximumBytes: number,
  { ignoreChecksums = false } = {},
): Promise<Buffer> {
  const { headers, payloadHash } = call;
  const expected = ignoreChecksums ? undefined : expectedChecksum((name) => headers.get(name));
  const md5 = parseMd5(headers.get('content-md5'));
  const digests = new BodyDigests({ sha256: true, crc32: true, md5: true });
  const tooLong = (): Refusal =>
    new Refusal(400, 'MaxMessageLengthExceeded', `expected at most ${String(maximumBytes)} bytes`);
  const { bytes, trailers, sizeBytes: announced } = framedBody(call);
  if (announced > maximumBytes) throw tooLong();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes > maximumBytes) throw tooLong();
    digests.update(chunk);
    chunks.push(chunk);
  }
  const values = digests.finish();
  checkPayloadHash(payloadHash, values);
  if (md5 !== undefined && values.md5B64 !== md5)
    throw new Refusal(400, 'BadDigest', 'the Content-MD5 you specified did not match what we received');
  verifyChecksum(expected, trailers, values);
  return Buffer.concat(chunks);
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

function framedBody(call: S3Call): {
  bytes: AsyncIterable<Uint8Array>;
  trailers: ReadonlyMap<string, string>;
  sizeBytes: number;
} {
  const { headers, payloadHash, seed } = call;
  const form = STREAMING_FORMS.get(payloadHash);
  if (form) {
    const decodedBytes = announcedBytes(headers.get('x-amz-decoded-content-length'));
    return { ...decodeChunked(call.body(), form, seed, decodedBytes), sizeBytes: decodedBytes };
  }
  if (!isHash(payloadHash) && payloadHash !== 'UNSIGNED-PAYLOAD')
    throw invalidArgument(
      'expected UNSIGNED-PAYLOAD, a streaming form, or a SHA-256 in hex',
      'x-amz-content-sha256',
    );
  if (headers.get('x-amz-trailer') !== undefined) throw invalidRequest('a trailer needs an aws-chunked body');
  const sizeBytes = announcedBytes(headers.get('content-length'));
  return { bytes: call.body(), trailers: NO_TRAILERS, sizeBytes };
}

/**
 * A body's length, as its header says.
 * @throws {Refusal} 411 without one, 400 `EntityTooLarge` beyond what S3 takes in one piece
 */
export function announcedBytes(text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text))
    throw new Refusal(411, 'MissingContentLength', 'you must provide the Content-Length HTTP header');
  const sizeBytes = Number(text);
  if (sizeBytes > MAXIMUM_BODY_BYTES)
    throw new Refusal(400, 'EntityTooLarge', 'the body is larger than 5 GiB', {
      details: { ProposedSize: text, MaxSizeAllowed: String(MAXIMUM_BODY_BYTES) },
    });
  return sizeBytes;
}

const isHash = (payloadHash: string): boolean => /^[0-9a-f]{64}$/.test(payloadHash);

function checkPayloadHash(payloadHash: string, { sha256Hex }: BodyDigestValues): void {
  if (isHash(payloadHash) && payloadHash !== sha256Hex)
    throw new Refusal(
      400,
      'XAmzContentSHA256Mismatch',
      'the provided x-amz-content-sha256 header does not match what was computed',
    );
}

function parseMd5(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== text)
    throw new Refusal(400, 'InvalidDigest', 'the Content-MD5 you specified is not valid');
  return text;
}
