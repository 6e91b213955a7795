import { createHash } from 'node:crypto';
import type { BlobId, VaultId } from '../../contract/ids.ts';
import type { UploadedPart, VaultObjects } from '../../ports/vaults.ts';
import { blobKeys } from './blob-keys.ts';
import { BrokerProblem } from '../problem.ts';
import type { Usage } from './usage.ts';
import type { VaultRecord } from './vault-record.ts';

/** What a client says of a part: 1-based number, length, SHA-256 in base64. */
interface PlannedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What a client says of a part that is there. */
type FinishedPart = Omit<UploadedPart, 'sizeBytes'>;

/** Blobs on their way into S3, in one PUT or in parts. */
export interface Uploads {
  /** @throws BrokerProblem `store_full` */
  putUrl(
    vault: VaultId,
    record: VaultRecord,
    put: { blob: BlobId; sizeBytes: number; sha256: string },
  ): Promise<string>;
  /** @returns S3's upload id. @throws BrokerProblem `store_full` */
  create(vault: VaultId, record: VaultRecord, blob: BlobId, sizeBytes: number): Promise<string>;
  partUrls(
    vault: VaultId,
    upload: { blob: BlobId; uploadId: string; parts: readonly PlannedPart[] },
  ): Promise<{ partNumber: number; url: string }[]>;
  /** @throws BrokerProblem `upload_lost` */
  list(vault: VaultId, blob: BlobId, uploadId: string): Promise<UploadedPart[]>;
  /**
   * @returns S3's checksum of checksums, `base64-N`; also when the blob was completed with these very parts before
   * @throws BrokerProblem `upload_lost` when S3 knows it no more, or refuses because of another completion under way: the
   *   same sealed bytes go up again as a new upload; `upload_mismatch` when S3's parts, or their length together, are not
   *   what was said; `already_exists`; `store_full` when other uploads were faster; `input_malformed` unless the parts are 1, 2, 3 …
   */
  complete(
    vault: VaultId,
    record: VaultRecord,
    upload: { blob: BlobId; uploadId: string; sizeBytes: number; parts: readonly FinishedPart[] },
  ): Promise<string>;
  abort(vault: VaultId, blob: BlobId, uploadId: string): Promise<void>;
}

export function createUploads(objects: VaultObjects, usage: Usage): Uploads {
  return {
    async putUrl(vault, record, { blob, sizeBytes, sha256 }) {
      await usage.requireRoom(vault, record, sizeBytes);
      return objects.presignPut(vault, blobKeys.blob(blob), sizeBytes, sha256);
    },
    async create(vault, record, blob, sizeBytes) {
      await usage.requireRoom(vault, record, sizeBytes);
      return objects.createUpload(vault, blobKeys.blob(blob));
    },
    partUrls: (vault, { blob, uploadId, parts }) =>
      Promise.all(
        parts.map(async (part) => ({
          partNumber: part.partNumber,
          url: await objects.presignPart(vault, blobKeys.blob(blob), uploadId, part),
        })),
      ),
    async list(vault, blob, uploadId) {
      const parts = await objects.listParts(vault, blobKeys.blob(blob), uploadId);
      if (!parts) throw new BrokerProblem('upload_lost');
      return parts;
    },
    async complete(vault, record, { blob, uploadId, sizeBytes, parts }) {
      if (parts.some(({ partNumber }, index) => partNumber !== index + 1)) {
        throw new BrokerProblem('input_malformed', { fields: ['parts'] });
      }
      const key = blobKeys.blob(blob);
      const digest = compositeDigest(parts.map(({ sha256 }) => sha256));
      const isThere = async (): Promise<boolean> => {
        const object = await objects.describe(vault, key);
        return object?.sha256 === digest && object.sizeBytes === sizeBytes;
      };
      try {
        await usage.requireRoom(vault, record, sizeBytes);
      } catch (error) {
        // Its own bytes may be what fills the vault.
        if (await isThere()) return digest;
        throw error;
      }
      const outcome = await objects.completeUpload(vault, key, uploadId, parts, sizeBytes);
      if (outcome.kind === 'mismatch') throw new BrokerProblem('upload_mismatch');
      const same = await isThere();
      if (outcome.kind === 'completed') {
        if (!same) throw new BrokerProblem('upload_mismatch');
        await usage.add(vault, sizeBytes);
        return digest;
      }
      // The reply to an earlier completion may have been lost.
      if (same) return digest;
      throw new BrokerProblem(outcome.kind === 'exists' ? 'already_exists' : 'upload_lost');
    },
    abort: (vault, blob, uploadId) => objects.abortUpload(vault, blobKeys.blob(blob), uploadId),
  };
}

/** S3's COMPOSITE checksum: SHA-256 over the parts' SHA-256s, base64, and their number. @param sha256s in base64 */
export function compositeDigest(sha256s: readonly string[]): string {
  const hash = createHash('sha256');
  for (const sha256 of sha256s) hash.update(Buffer.from(sha256, 'base64'));
  return `${hash.digest('base64')}-${String(sha256s.length)}`;
}
