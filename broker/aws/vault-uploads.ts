import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { OBJECT_DISPOSITION, OBJECT_TYPE } from '../contract/limits.ts';
import type { VaultId } from '../contract/ids.ts';
import type { UploadedPart, VaultObjects } from '../ports/vaults.ts';
import { faultName, faultStatus } from './vault-faults.ts';
import { objectKey } from './object-paths.ts';

/** S3 takes its time to put thousands of parts together. */
const COMPLETE_TIMEOUT_MS = 300_000;

type Send = <Result>(vault: VaultId, run: (s3: S3Client) => Promise<Result>) => Promise<Result>;
type Uploads = Pick<VaultObjects, 'createUpload' | 'listParts' | 'completeUpload' | 'abortUpload'>;

/** Multipart uploads with a SHA-256 of every part; S3's digest of the whole is the checksum of these (COMPOSITE). */
export function vaultUploads(Bucket: string, send: Send): Uploads {
  return {
    createUpload: (vault, key) =>
      send(vault, async (s3) => {
        const { UploadId } = await s3.send(
          new CreateMultipartUploadCommand({
            Bucket,
            Key: objectKey(vault, key),
            ContentType: OBJECT_TYPE,
            ContentDisposition: OBJECT_DISPOSITION,
            ChecksumAlgorithm: 'SHA256',
            ChecksumType: 'COMPOSITE',
          }),
        );
        if (!UploadId) throw new RangeError('expected an upload id from S3, got none');
        return UploadId;
      }),
    listParts: (vault, key, UploadId) =>
      send(vault, (s3) => listAll(s3, { Bucket, Key: objectKey(vault, key), UploadId })),
    completeUpload: (vault, key, UploadId, parts, sizeBytes) =>
      send(vault, async (s3) => {
        try {
          // S3 may answer 200 and write an error into the body; the SDK parses it and throws it like any other.
          const { ChecksumSHA256 } = await s3.send(
            new CompleteMultipartUploadCommand({
              Bucket,
              Key: objectKey(vault, key),
              UploadId,
              IfNoneMatch: '*',
              MpuObjectSize: sizeBytes,
              MultipartUpload: {
                Parts: parts.map(({ partNumber, etag, sha256 }) => ({
                  PartNumber: partNumber,
                  ETag: etag,
                  ChecksumSHA256: sha256,
                })),
              },
            }),
            { requestTimeout: COMPLETE_TIMEOUT_MS },
          );
          return ChecksumSHA256 === undefined
            ? { kind: 'mismatch' }
            : { kind: 'completed', digest: ChecksumSHA256 };
        } catch (error) {
          const kind = whyIncomplete(error);
          if (kind === undefined) throw error;
          return { kind };
        }
      }),
    abortUpload: (vault, key, UploadId) =>
      send(vault, async (s3) => {
        try {
          await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: objectKey(vault, key), UploadId }));
        } catch (error) {
          if (faultName(error) !== 'NoSuchUpload') throw error;
        }
      }),
  };
}

async function listAll(
  s3: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string },
): Promise<UploadedPart[] | undefined> {
  const parts: UploadedPart[] = [];
  let marker: string | undefined;
  try {
    do {
      const page = await s3.send(
        new ListPartsCommand({ ...upload, ...(marker === undefined ? {} : { PartNumberMarker: marker }) }),
      );
      for (const part of page.Parts ?? []) {
        parts.push({
          partNumber: part.PartNumber ?? 0,
          sizeBytes: part.Size ?? 0,
          etag: part.ETag ?? '',
          sha256: part.ChecksumSHA256 ?? '',
        });
      }
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts;
  } catch (error) {
    if (faultName(error) === 'NoSuchUpload') return undefined;
    throw error;
  }
}

/** undefined: S3 said nothing about the upload itself. */
function whyIncomplete(error: unknown): 'exists' | 'lost' | 'mismatch' | 'conflict' | undefined {
  const status = faultStatus(error);
  if (status === 412) return 'exists';
  if (status === 409) return 'conflict';
  switch (faultName(error)) {
    case 'NoSuchUpload':
      return 'lost';
    case 'InvalidPart':
    case 'InvalidPartOrder':
    case 'EntityTooSmall':
    case 'EntityTooLarge':
    case 'BadDigest':
    case 'InvalidRequest':
    case 'MalformedXML':
      return 'mismatch';
    default:
      return undefined;
  }
}
