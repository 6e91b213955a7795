import { createHash } from 'node:crypto';
import type { BlobId, GrantId, VaultId } from '../../contract/ids.ts';
import type { UploadedPart, VaultObjects } from '../../ports/vaults.ts';
import type { Session } from '../account/session.ts';
import { blobKeys } from './blob-keys.ts';
import { BrokerProblem } from '../problem.ts';
import type { Room } from './room.ts';
import { uploadReservation } from './room-record.ts';

/** What a client says of a part: 1-based number, length, SHA-256 in base64. */
interface PlannedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What a client says of a part that is there. */
type FinishedPart = Omit<UploadedPart, 'sizeBytes'>;

/** How a blob comes in parts: the last has the rest. */
interface Plan {
  readonly sizeBytes: number;
  readonly firstPartBytes: number;
  readonly partBytes: number;
}

/** Blobs and snapshots on their way into S3, in one PUT or in parts. Each is reserved before it gets a URL. */
export interface Uploads {
  /** @throws BrokerProblem `store_full`, `grant_missing` */
  putUrls(
    session: Session,
    vault: VaultId,
    put: { blobs: readonly NewBlob[]; grant?: GrantId | undefined },
  ): Promise<{ blob: BlobId; url: string }[]>;
  /** @throws BrokerProblem `store_full`, `grant_missing` */
  pageUrls(
    session: Session,
    vault: VaultId,
    put: { pages: readonly SnapshotPage[]; grant?: GrantId | undefined },
  ): Promise<{ page: BlobId; url: string }[]>;
  /** @returns S3's upload id. @throws BrokerProblem `store_full`, `grant_missing` */
  create(
    session: Session,
    vault: VaultId,
    upload: {
      blob: BlobId;
      sizeBytes: number;
      /** In one part, where they are missing. */
      firstPartBytes?: number | undefined;
      partBytes?: number | undefined;
      grant?: GrantId | undefined;
    },
  ): Promise<string>;
  /**
   * @throws BrokerProblem `upload_lost`; `upload_mismatch` for a part of another size than was announced, where a quota
   * is set
   */
  partUrls(
    vault: VaultId,
    upload: { blob: BlobId; uploadId: string; parts: readonly PlannedPart[] },
  ): Promise<{ partNumber: number; url: string }[]>;
  /** @throws BrokerProblem `upload_lost` */
  list(vault: VaultId, blob: BlobId, uploadId: string): Promise<UploadedPart[]>;
  /**
   * @returns S3's checksum of checksums, `base64-N`; also when the blob was completed with these very parts before
   * @throws BrokerProblem `upload_lost` when S3 knows it no more, or refuses because of another completion under way:
   *   the same sealed bytes go up again as a new upload; `upload_mismatch` when S3's parts, or their length together,
   *   are not what was said; `already_exists`; `input_malformed` unless the parts are 1, 2, 3 …
   */
  complete(
    vault: VaultId,
    upload: { blob: BlobId; uploadId: string; sizeBytes: number; parts: readonly FinishedPart[] },
  ): Promise<string>;
  abort(vault: VaultId, blob: BlobId, uploadId: string): Promise<void>;
}

/** A blob that comes in one PUT. `sha256` in base64. */
interface NewBlob {
  readonly blob: BlobId;
  readonly sizeBytes: number;
  readonly sha256: string;
}

interface SnapshotPage {
  readonly seq: number;
  readonly page: BlobId;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export function createUploads(objects: VaultObjects, room: Room): Uploads {
  return {
    async putUrls(session, vault, { blobs, grant }) {
      const wanted = blobs.map(({ blob, sizeBytes }) => ({ id: blob, bytes: sizeBytes }));
      await room.reserve(session, vault, wanted, grant);
      return Promise.all(
        blobs.map(async ({ blob, sizeBytes, sha256 }) => ({
          blob,
          url: await objects.presignPut(vault, blobKeys.blob(blob), sizeBytes, sha256),
        })),
      );
    },
    async pageUrls(session, vault, { pages, grant }) {
      const wanted = pages.map(({ seq, page, sizeBytes }) => ({
        id: blobKeys.snapshotPage(seq, page),
        bytes: sizeBytes,
      }));
      await room.reserve(session, vault, wanted, grant);
      return Promise.all(
        pages.map(async ({ seq, page, sizeBytes, sha256 }) => ({
          page,
          url: await objects.presignPut(vault, blobKeys.snapshotPage(seq, page), sizeBytes, sha256),
        })),
      );
    },
    async create(session, vault, order) {
      const { blob, sizeBytes, firstPartBytes = sizeBytes, partBytes = sizeBytes, grant } = order;
      // Nothing is in it before a part has a URL, and no part has one before this was reserved.
      const uploadId = await objects.createUpload(vault, blobKeys.blob(blob));
      const upload = { blob, uploadId, sizeBytes, firstPartBytes, partBytes };
      try {
        const wanted = { id: uploadReservation(uploadId), bytes: sizeBytes, upload };
        await room.reserve(session, vault, [wanted], grant);
      } catch (error) {
        await objects.abortUpload(vault, blobKeys.blob(blob), uploadId).catch(() => undefined);
        throw error;
      }
      return uploadId;
    },
    async partUrls(vault, { blob, uploadId, parts }) {
      const reserved = await room.extend(vault, uploadId);
      if (reserved?.upload) requirePlanned(reserved.upload, blob, parts);
      return Promise.all(
        parts.map(async (part) => ({
          partNumber: part.partNumber,
          url: await objects.presignPart(vault, blobKeys.blob(blob), uploadId, part),
        })),
      );
    },
    async list(vault, blob, uploadId) {
      const parts = await objects.listParts(vault, blobKeys.blob(blob), uploadId);
      if (!parts) throw new BrokerProblem('upload_lost');
      return parts;
    },
    async complete(vault, { blob, uploadId, sizeBytes, parts }) {
      if (parts.some(({ partNumber }, index) => partNumber !== index + 1)) {
        throw new BrokerProblem('input_malformed', { fields: ['parts'] });
      }
      const key = blobKeys.blob(blob);
      const digest = compositeDigest(parts.map(({ sha256 }) => sha256));
      const outcome = await objects.completeUpload(vault, key, uploadId, parts, sizeBytes);
      if (outcome.kind === 'mismatch') throw new BrokerProblem('upload_mismatch');
      const object = await objects.describe(vault, key);
      const same = object?.sha256 === digest && object.sizeBytes === sizeBytes;
      if (outcome.kind === 'completed' && !same) throw new BrokerProblem('upload_mismatch');
      // The reply to an earlier completion may have been lost.
      if (!same) throw new BrokerProblem(outcome.kind === 'exists' ? 'already_exists' : 'upload_lost');
      // Of an upload that was too late S3 still has the parts: what these were reserved as goes on.
      if (outcome.kind !== 'exists') {
        await room.arrive(vault, [{ id: uploadReservation(uploadId), bytes: sizeBytes }]);
      }
      return digest;
    },
    async abort(vault, blob, uploadId) {
      const key = blobKeys.blob(blob);
      await objects.abortUpload(vault, key, uploadId);
      // Parts that were under way may have come after it.
      if ((await objects.listParts(vault, key, uploadId)) === undefined) {
        await room.release(vault, uploadReservation(uploadId));
      }
    },
  };
}

/** @throws BrokerProblem `upload_lost` for another blob's upload; `upload_mismatch` */
function requirePlanned(
  plan: Plan & { readonly blob: string },
  blob: BlobId,
  parts: readonly PlannedPart[],
): void {
  if (plan.blob !== blob) throw new BrokerProblem('upload_lost');
  const isPlanned = ({ partNumber, sizeBytes }: PlannedPart) =>
    sizeBytes === plannedPartBytes(plan, partNumber);
  if (!parts.every(isPlanned)) throw new BrokerProblem('upload_mismatch');
}

/** @param partNumber 1-based; beyond the last there are 0 bytes, or fewer */
function plannedPartBytes({ sizeBytes, firstPartBytes, partBytes }: Plan, partNumber: number): number {
  if (partNumber === 1) return Math.min(firstPartBytes, sizeBytes);
  return Math.min(partBytes, sizeBytes - firstPartBytes - (partNumber - 2) * partBytes);
}

/** S3's COMPOSITE checksum: SHA-256 over the parts' SHA-256s, base64, and their number. @param sha256s in base64 */
export function compositeDigest(sha256s: readonly string[]): string {
  const hash = createHash('sha256');
  for (const sha256 of sha256s) hash.update(Buffer.from(sha256, 'base64'));
  return `${hash.digest('base64')}-${String(sha256s.length)}`;
}
