import { invalidArgument, invalidRequest, notImplemented } from '../refusal.ts';
import type { ChecksumAlgorithm, Upload } from '../store/version.ts';
import { demand, type Operation, type S3Call } from './call.ts';
import { assembleParts, parseCompletion } from './assemble.ts';
import { checksumHeader } from './checksums.ts';
import { checkKey, requestObjectHeaders } from './object-headers.ts';
import { creationContext, versionHeader, writeCondition } from './object-write.ts';
import { receiveBody, receiveDocument } from './receive.ts';
import { element, parseXml, xmlDocument } from './xml.ts';

/** Ten thousand parts with their checksums. */
const MAXIMUM_COMPLETE_BYTES = 4 * 1024 * 1024;
/** S3's limit. */
const MAXIMUM_PART_NUMBER = 10_000;
/** A part always gets a file of its own, which the object takes over. */
const NEVER_INLINE = -1;

const NOT_A_CREATION = { 's3:ObjectCreationOperation': 'false' };

export const createMultipartUpload: Operation = async (call, world) => {
  demand(call, world, 's3:PutObject', NOT_A_CREATION);
  const bucket = world.store.get(call.bucketName);
  checkKey(call.key);
  const algorithm = parseAlgorithm(call);
  const uploadId = await bucket.createUpload(
    call.key,
    requestObjectHeaders(call.headers),
    algorithm,
    call.nowMs,
  );
  return {
    status: 200,
    headers: algorithm ? { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': 'COMPOSITE' } : {},
    xml: xmlDocument(
      'InitiateMultipartUploadResult',
      element('Bucket', call.bucketName),
      element('Key', call.key),
      element('UploadId', uploadId),
    ),
  };
};

function parseAlgorithm({ headers }: S3Call): ChecksumAlgorithm | undefined {
  const algorithm = headers.get('x-amz-checksum-algorithm')?.toUpperCase();
  const type = headers.get('x-amz-checksum-type')?.toUpperCase();
  if (algorithm === undefined) {
    if (type !== undefined) throw invalidRequest('x-amz-checksum-type needs x-amz-checksum-algorithm');
    return undefined;
  }
  if (algorithm !== 'SHA256' && algorithm !== 'CRC32')
    throw notImplemented(`the checksum algorithm ${algorithm}`);
  if (type === undefined || type === 'COMPOSITE') return algorithm;
  if (algorithm === 'CRC32' && type === 'FULL_OBJECT')
    throw notImplemented('full-object checksums of multipart uploads');
  throw invalidRequest(`the ${type} checksum type cannot be used with ${algorithm}`);
}

export const uploadPart: Operation = async (call, world) => {
  demand(call, world, 's3:PutObject', NOT_A_CREATION);
  const bucket = world.store.get(call.bucketName);
  const uploadId = call.query.get('uploadId') ?? '';
  const partNumber = parsePartNumber(call.query.get('partNumber'));
  const { facts } = bucket.upload(uploadId, call.key);
  checkPartAlgorithm(call, facts.checksumAlgorithm);
  const { body, etag, checksum } = await receiveBody(call, bucket, NEVER_INLINE);
  if (!body.file) throw new Error('a part was spooled without a file');
  await bucket.putPart(uploadId, call.key, {
    partNumber,
    etag,
    modifiedMs: call.nowMs,
    file: body.file,
    ...(checksum && { checksum }),
  });
  return {
    status: 200,
    headers: { etag: `"${etag}"`, ...(checksum && { [checksumHeader(checksum.algorithm)]: checksum.value }) },
  };
};

function parsePartNumber(text: string | undefined): number {
  const partNumber = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  if (partNumber < 1 || partNumber > MAXIMUM_PART_NUMBER)
    throw invalidArgument(`part number must be 1 to ${String(MAXIMUM_PART_NUMBER)}`, 'partNumber');
  return partNumber;
}

function checkPartAlgorithm({ headers }: S3Call, algorithm: ChecksumAlgorithm | undefined): void {
  if (!algorithm) return;
  const name = checksumHeader(algorithm);
  const announced = headers.get('x-amz-trailer')?.toLowerCase().includes(name) ?? false;
  if (headers.get(name) === undefined && !announced)
    throw invalidRequest(
      `checksum type mismatch occurred, expected checksum type: ${algorithm.toLowerCase()}`,
    );
}

export const completeMultipartUpload: Operation = async (call, world) => {
  demand(call, world, 's3:PutObject', creationContext(call));
  const bucket = world.store.get(call.bucketName);
  const uploadId = call.query.get('uploadId') ?? '';
  const condition = writeCondition(call, world);
  const root = parseXml(await receiveObjectDocument(call), 'CompleteMultipartUpload');
  const wanted = parseCompletion(root);
  const assemble = (upload: Upload) => assembleParts(upload, wanted, (name) => call.headers.get(name));
  const version = await bucket.completeUpload(uploadId, call.key, assemble, condition, call.nowMs);
  const { checksum, versionId } = version;
  return {
    status: 200,
    headers: versionHeader(versionId),
    xml: xmlDocument(
      'CompleteMultipartUploadResult',
      element('Location', `/${call.bucketName}/${call.key}`),
      element('Bucket', call.bucketName),
      element('Key', call.key),
      element('ETag', `"${version.etag}"`),
      checksum ? element(`Checksum${checksum.algorithm}`, checksum.value) : '',
      element('ChecksumType', checksum?.type),
    ),
  };
};

/** The body of a completion: its `x-amz-checksum-…` speaks of the object, not of the XML. */
function receiveObjectDocument(call: S3Call): Promise<Buffer> {
  return receiveDocument(call, MAXIMUM_COMPLETE_BYTES, { ignoreChecksums: true });
}

export const abortMultipartUpload: Operation = async (call, world) => {
  demand(call, world, 's3:AbortMultipartUpload');
  await world.store.get(call.bucketName).abortUpload(call.query.get('uploadId') ?? '', call.key);
  return { status: 204 };
};
