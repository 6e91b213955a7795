import type { VaultId } from '../contract/ids.ts';

/** Makes the Cognito identity whose id is the vault's. `developerUserId` is random: no account is named by it. */
export interface VaultIdentities {
  create(developerUserId: string): Promise<VaultId>;
}

export interface UploadedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly sha256: string;
}

/** One object as a listing names it: its key is relative to the vault. */
export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  /** By S3's clock. */
  readonly modifiedMs: number;
}

/**
 * Objects under `v/<vault>/`, always with the short credentials of that vault's own identity; keys are relative to the
 * vault (`log/7`, `blobs/<blob>`). Throws BrokerProblem `store_unreachable` when S3 gives no answer.
 */
export interface VaultObjects {
  /**
   * Fetches the vault's credentials, if there are none that are good. Never rejects: anyone who needs them meets the
   * fault.
   */
  warm(vault: VaultId): Promise<void>;
  read(vault: VaultId, key: string): Promise<Uint8Array | undefined>;
  /** `If-None-Match: *`; equal bytes already there are `created`. */
  create(vault: VaultId, key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** Size, S3's composite or full checksum, and when it was written by S3's clock; undefined when absent. */
  describe(
    vault: VaultId,
    key: string,
  ): Promise<{ sizeBytes: number; sha256: string | undefined; modifiedMs: number } | undefined>;
  /**
   * Bytes of all objects below a prefix (`blobs/`), by listing them: exact, and one request per 1,000 objects.
   * @param note told of each of them, in the order of their keys; of one perhaps more than once
   */
  measure(
    vault: VaultId,
    prefix: string,
    note?: (object: Pick<ListedObject, 'key' | 'sizeBytes'>) => void,
  ): Promise<number>;
  /**
   * Up to `atMost` (1 to 1,000) objects below a prefix in the order of their keys, starting after the key `after`,
   * which need not exist; empty: from the first. `more` is false when there are none after them.
   */
  list(
    vault: VaultId,
    prefix: string,
    after: string,
    atMost: number,
  ): Promise<{ objects: ListedObject[]; more: boolean }>;
  presignPut(vault: VaultId, key: string, sizeBytes: number, sha256: string): Promise<string>;
  presignGet(vault: VaultId, key: string): Promise<string>;
  createUpload(vault: VaultId, key: string): Promise<string>;
  presignPart(
    vault: VaultId,
    key: string,
    uploadId: string,
    part: { partNumber: number; sizeBytes: number; sha256: string },
  ): Promise<string>;
  /** undefined when S3 no longer knows the upload. */
  listParts(vault: VaultId, key: string, uploadId: string): Promise<UploadedPart[] | undefined>;
  completeUpload(
    vault: VaultId,
    key: string,
    uploadId: string,
    parts: readonly { partNumber: number; etag: string; sha256: string }[],
    /** Of all parts together; S3 completes nothing of another length (`mismatch`). */
    sizeBytes: number,
  ): Promise<{ kind: 'completed'; digest: string } | { kind: 'exists' | 'lost' | 'mismatch' | 'conflict' }>;
  abortUpload(vault: VaultId, key: string, uploadId: string): Promise<void>;
}

/** Multipart uploads below `v/` that were not completed, with the broker's own role. */
export interface UnfinishedUploads {
  /** Ends those that began before then, by S3's clock: their parts are gone. Up to 1,000 in a turn. */
  endBefore(beforeMs: number): Promise<void>;
}

/** Deletes for good, with the broker's own role: it may delete under `v/`, and read nothing there. */
export interface Purger {
  /**
   * Every version and every delete marker below each prefix (`v/<vault>/keys/<blob>/`).
   * @returns keys that the store has refused to delete; the others are gone
   */
  eraseBelow(prefixes: readonly string[]): Promise<string[]>;
}
