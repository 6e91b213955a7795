import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalidArgument, notImplemented, Refusal } from '../refusal.ts';
import { verifyPost, type PostGrant } from '../sigv4/post-policy.ts';
import type { Verifier } from '../sigv4/verify.ts';
import { BodyDigests, INLINE_BYTES } from '../store/body-digests.ts';
import type { Bucket } from '../store/bucket.ts';
import { UNCONDITIONAL } from '../store/write-condition.ts';
import { spool } from '../store/spool.ts';
import { demand, type S3Answer, type S3Call, type S3World } from './call.ts';
import { expectedChecksum, verifyChecksum } from './checksums.ts';
import { checkKey, objectHeaders } from './object-headers.ts';
import { createdHeaders, draftOf } from './object-write.ts';
import { announcedBytes, type Received } from './receive.ts';
import { element, xmlDocument } from './xml.ts';

/** S3 allows 20 kB for all fields before the file. */
const MAXIMUM_FIELD_BYTES = 20 * 1024;
const MAXIMUM_FIELDS = 60;
/**
 * Fields with all that frames them, and what the stream is ahead of the parser: a form that has no file by then is
 * none.
 */
const MAXIMUM_BYTES_BEFORE_FILE = 512 * 1024;

/** A POST from a form: it is signed by its policy and not by its headers. */
export type UnsignedCall = Omit<S3Call, 'principal' | 'authType' | 'signatureAgeMs' | 'payloadHash' | 'seed'>;

/**
 * A browser-based upload (presigned POST): a form of signed fields, and the file as the last of them.
 * @throws {Refusal} 403 by the form's policy, 400 `EntityTooLarge` or `EntityTooSmall` by its content-length-range
 */
export async function postObject(call: UnsignedCall, world: S3World, verifier: Verifier): Promise<S3Answer> {
  const contentType = call.headers.get('content-type') ?? '';
  const formBytes = announcedBytes(call.headers.get('content-length'));
  const form = parseForm(contentType);
  const source = Readable.from(withFileSoon(call.body(), form.hasFile), { objectMode: false });
  const parsing = pipeline(source, form.parser);
  // Awaited below; if the form is refused first, its own end is of no interest.
  parsing.catch(() => undefined);
  try {
    const { fields, fileName, file } = await form.file;
    const grant = verifyPost(fields, call.bucketName, verifier);
    checkAnnounced(formBytes, grant);
    const answer = await store(call, world, grant, fields, fileName, file);
    await parsing;
    return answer;
  } catch (error) {
    source.destroy();
    form.parser.destroy();
    throw error;
  }
}

interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string;
  readonly file: Readable;
}

interface Parsing {
  readonly parser: BusboyInstance;
  readonly file: Promise<Form>;
  readonly hasFile: () => boolean;
}

function parseForm(contentType: string): Parsing {
  let parser: BusboyInstance;
  const limits = {
    fieldSize: MAXIMUM_FIELD_BYTES,
    fields: MAXIMUM_FIELDS,
    files: 1,
    parts: MAXIMUM_FIELDS + 1,
  };
  try {
    const isPartAFile = (name: string | undefined) => name === 'file';
    parser = new Busboy({ headers: { 'content-type': contentType }, limits, isPartAFile });
  } catch {
    throw malformedForm();
  }
  const fields = new Map<string, string>();
  let fieldBytes = 0;
  let hasFile = false;
  const file = new Promise<Form>((resolve, reject) => {
    parser.on('field', (rawName, value, nameTruncated, valueTruncated) => {
      const name = rawName.toLowerCase();
      fieldBytes += rawName.length + value.length;
      if (fieldBytes > MAXIMUM_FIELD_BYTES) reject(tooLongBeforeFile());
      // Fields after the file are ignored, as S3 does; twice the same one could be read in two ways.
      if (nameTruncated || valueTruncated || fields.has(name)) reject(malformedForm());
      else fields.set(name, value);
    });
    parser.on('file', (_name, stream, fileName) => {
      hasFile = true;
      // The parser ends the stream with the form; what it lacks to be whole shows as an error of the parser.
      const file = stream.pipe(new PassThrough());
      stream.on('error', (error) => file.destroy(error));
      parser.on('error', () => file.destroy(malformedForm()));
      resolve({ fields: new Map(fields), fileName, file });
    });
    parser.on('error', (error) => {
      reject(error instanceof Refusal ? error : malformedForm());
    });
    parser.on('finish', () => {
      reject(invalidArgument('POST requires exactly one file upload per request', 'file'));
    });
  });
  return { parser, file, hasFile: () => hasFile };
}

/**
 * The body, as long as its file comes soon: the sender is not known before the fields are read, and a stranger could
 * send for ever.
 * @throws {Refusal} 400 `MaxPostPreDataLengthExceeded`
 */
async function* withFileSoon(
  body: AsyncIterable<Uint8Array>,
  hasFile: () => boolean,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const bytes of body) {
    sizeBytes += bytes.length;
    if (sizeBytes > MAXIMUM_BYTES_BEFORE_FILE && !hasFile()) throw tooLongBeforeFile();
    yield bytes;
  }
}

const tooLongBeforeFile = (): Refusal =>
  new Refusal(
    400,
    'MaxPostPreDataLengthExceeded',
    'your POST request fields preceding the upload file were too large',
  );

/** By the length that the form says it has, before the file is read. @throws {Refusal} 400 `EntityTooLarge` */
function checkAnnounced(formBytes: number, { minimumBytes, maximumBytes }: PostGrant): void {
  if (formBytes - MAXIMUM_BYTES_BEFORE_FILE <= maximumBytes) return;
  throw outside('EntityTooLarge', 'exceeds the maximum', formBytes, sizeLimits(minimumBytes, maximumBytes));
}

const malformedForm = (): Refusal =>
  new Refusal(
    400,
    'MalformedPOSTRequest',
    'the body of your POST request is not well-formed multipart/form-data',
  );

async function store(
  unsigned: UnsignedCall,
  world: S3World,
  grant: PostGrant,
  fields: ReadonlyMap<string, string>,
  fileName: string,
  file: Readable,
): Promise<S3Answer> {
  const key = (fields.get('key') ?? '').replaceAll('${filename}', () => fileName);
  if (key === '') throw invalidArgument('bucket POST must contain a field named key', 'key');
  checkKey(key);
  const call: S3Call = {
    ...unsigned,
    key,
    principal: grant.credential.principal,
    authType: 'POST',
    signatureAgeMs: grant.signatureAgeMs,
    payloadHash: 'UNSIGNED-PAYLOAD',
    seed: undefined,
  };
  demand(call, world, 's3:PutObject', {
    's3:ObjectCreationOperation': 'true',
    's3:x-amz-server-side-encryption-customer-algorithm': fields.get(
      'x-amz-server-side-encryption-customer-algorithm',
    ),
  });
  if (fields.has('success_action_redirect') || fields.has('redirect'))
    throw notImplemented('redirects after a POST');
  const bucket = world.store.get(call.bucketName);
  const headers = objectHeaders(fields.keys(), (name) => fields.get(name));
  const received = await receiveFile(file, bucket, grant, fields);
  const version = await bucket.put(draftOf(key, headers, received), UNCONDITIONAL, call.nowMs);
  const location = `/${call.bucketName}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const answered = { ...createdHeaders(version), location };
  const status = fields.get('success_action_status');
  if (status === '200') return { status: 200, headers: answered };
  if (status !== '201') return { status: 204, headers: answered };
  const xml = xmlDocument(
    'PostResponse',
    element('Location', location),
    element('Bucket', call.bucketName),
    element('Key', key),
    element('ETag', `"${version.etag}"`),
  );
  return { status: 201, headers: answered, xml };
}

async function receiveFile(
  file: Readable,
  bucket: Bucket,
  grant: PostGrant,
  fields: ReadonlyMap<string, string>,
): Promise<Received> {
  const expected = expectedChecksum((name) => fields.get(name));
  const digests = new BodyDigests({
    sha256: expected?.algorithm === 'SHA256',
    crc32: expected?.algorithm === 'CRC32',
    md5: expected?.algorithm !== 'SHA256',
  });
  const body = await spool(limited(file, grant), bucket.files, digests, INLINE_BYTES);
  try {
    const values = digests.finish();
    return { body, etag: values.etag, checksum: verifyChecksum(expected, new Map(), values) };
  } catch (error) {
    if (body.file) await bucket.files.remove([body.file]);
    throw error;
  }
}

async function* limited(
  file: Readable,
  { minimumBytes, maximumBytes }: PostGrant,
): AsyncGenerator<Uint8Array> {
  const limits = sizeLimits(minimumBytes, maximumBytes);
  let sizeBytes = 0;
  for await (const bytes of file as AsyncIterable<Uint8Array>) {
    sizeBytes += bytes.length;
    if (sizeBytes > maximumBytes) throw outside('EntityTooLarge', 'exceeds the maximum', sizeBytes, limits);
    yield bytes;
  }
  if (sizeBytes < minimumBytes)
    throw outside('EntityTooSmall', 'is smaller than the minimum', sizeBytes, limits);
}

const sizeLimits = (minimumBytes: number, maximumBytes: number): Record<string, string> => ({
  MinSizeAllowed: String(minimumBytes),
  MaxSizeAllowed: String(maximumBytes),
});

const outside = (code: string, how: string, sizeBytes: number, limits: Record<string, string>): Refusal =>
  new Refusal(400, code, `your proposed upload ${how} allowed size`, {
    details: { ProposedSize: String(sizeBytes), ...limits },
  });
