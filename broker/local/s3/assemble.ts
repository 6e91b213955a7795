import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { invalidRequest, Refusal } from '../refusal.ts';
import type { Draft } from '../store/bucket.ts';
import type { Checksum, ChecksumAlgorithm, Part, Upload } from '../store/version.ts';
import { checksumHeader } from './checksums.ts';
import { childrenNamed, childText, malformedXml, type XmlElement } from './xml.ts';

/** A part as a completion names it. */
export interface WantedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

/** All parts but the last are at least this long. */
const MINIMUM_PART_BYTES = 5 * 1024 * 1024;
const MAXIMUM_OBJECT_BYTES = 5 * 1024 ** 4;
const ALGORITHMS = ['SHA256', 'CRC32'] as const satisfies readonly ChecksumAlgorithm[];

/** Reads a `CompleteMultipartUpload` document. @throws {Refusal} 400 `MalformedXML`, `InvalidPartOrder` */
export function parseCompletion(root: XmlElement): WantedPart[] {
  const parts = childrenNamed(root, 'Part').map((part) => {
    const number = childText(part, 'PartNumber')?.trim() ?? '';
    const etag = childText(part, 'ETag')?.trim();
    if (!/^[1-9]\d{0,4}$/.test(number) || etag === undefined) throw malformedXml();
    const checksums = ALGORITHMS.flatMap((algorithm) => {
      const value = childText(part, `Checksum${algorithm}`)?.trim();
      return value === undefined ? [] : [[algorithm, value] as const];
    });
    return {
      partNumber: Number(number),
      etag: etag.replace(/^"(.*)"$/, '$1'),
      checksums: new Map(checksums),
    };
  });
  if (parts.length === 0 || parts.length > 10_000) throw malformedXml();
  if (parts.some(({ partNumber }, index) => partNumber <= (parts[index - 1]?.partNumber ?? 0)))
    throw new Refusal(400, 'InvalidPartOrder', 'the list of parts was not in ascending order');
  return parts;
}

/**
 * Makes one object of the parts that the client names, after holding each against what was uploaded.
 * @param header the completion's request headers, which may tell the whole object's checksum and size
 * @throws {Refusal} 400 `InvalidPart`, `EntityTooSmall`, `BadDigest`, `InvalidRequest`
 */
export function assembleParts(
  { facts, parts }: Upload,
  wanted: readonly WantedPart[],
  header: (name: string) => string | undefined,
): Draft {
  const { checksumAlgorithm: algorithm } = facts;
  const chosen = wanted.map((want) => choosePart(parts.get(want.partNumber), want, algorithm));
  const sizeBytes = chosen.reduce((sum, { file }) => sum + file.sizeBytes, 0);
  for (const { file, partNumber, etag } of chosen.slice(0, -1))
    if (file.sizeBytes < MINIMUM_PART_BYTES)
      throw new Refusal(
        400,
        'EntityTooSmall',
        'your proposed upload is smaller than the minimum allowed size',
        {
          details: {
            ProposedSize: String(file.sizeBytes),
            MinSizeAllowed: String(MINIMUM_PART_BYTES),
            PartNumber: String(partNumber),
            ETag: etag,
          },
        },
      );
  if (sizeBytes > MAXIMUM_OBJECT_BYTES)
    throw new Refusal(400, 'EntityTooLarge', 'the object is larger than 5 TiB');
  const announcedBytes = header('x-amz-mp-object-size');
  if (announcedBytes !== undefined && announcedBytes !== String(sizeBytes))
    throw invalidRequest('the provided x-amz-mp-object-size header does not match what was uploaded');
  const checksum = algorithm && compositeChecksum(algorithm, chosen);
  checkAnnounced(algorithm, checksum, header);
  const md5 = createHash('md5');
  for (const { etag } of chosen) md5.update(Buffer.from(etag, 'hex'));
  return {
    key: facts.key,
    etag: `${md5.digest('hex')}-${String(chosen.length)}`,
    sizeBytes,
    headers: facts.headers,
    checksum,
    inline: undefined,
    files: chosen.map(({ file }) => file),
  };
}

function choosePart(
  part: Part | undefined,
  { partNumber, etag, checksums }: WantedPart,
  algorithm: ChecksumAlgorithm | undefined,
): Part {
  if (algorithm && !checksums.has(algorithm))
    throw invalidRequest(
      `the upload was created using a ${algorithm.toLowerCase()} checksum: the complete request must include the ` +
        `checksum for each part; it was missing for part ${String(partNumber)}`,
    );
  const sameChecksums = [...checksums].every(
    ([name, value]) => part?.checksum?.algorithm === name && part.checksum.value === value,
  );
  if (part?.etag !== etag || !sameChecksums)
    throw new Refusal(
      400,
      'InvalidPart',
      'one or more of the specified parts could not be found, or did not match',
      {
        details: { PartNumber: String(partNumber), ETag: etag },
      },
    );
  return part;
}

/** S3's checksum of checksums: of the parts' raw checksums one after the other, then `-` and their number. */
function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly Part[]): Checksum {
  const raw = Buffer.concat(parts.map(({ checksum }) => Buffer.from(checksum?.value ?? '', 'base64')));
  const value = algorithm === 'SHA256' ? createHash('sha256').update(raw).digest('base64') : crc32B64(raw);
  return { algorithm, value: `${value}-${String(parts.length)}`, type: 'COMPOSITE' };
}

function crc32B64(bytes: Buffer): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
}

function checkAnnounced(
  algorithm: ChecksumAlgorithm | undefined,
  checksum: Checksum | undefined,
  header: (name: string) => string | undefined,
): void {
  const type = header('x-amz-checksum-type');
  if (type !== undefined && checksum && type !== checksum.type)
    throw invalidRequest(`the upload has the checksum type ${checksum.type}, not ${type}`);
  const announced = algorithm && header(checksumHeader(algorithm));
  if (announced === undefined || announced === checksum?.value) return;
  // The number of parts may be left out.
  if (announced === checksum?.value.split('-')[0]) return;
  throw new Refusal(400, 'BadDigest', 'the checksum you specified did not match the calculated checksum');
}
