import { randomBytes } from 'node:crypto';
import type { BodyFile } from './body-files.ts';
import type { Extent } from './record-format.ts';

/** The additional checksums that the local cloud computes. */
export type ChecksumAlgorithm = 'SHA256' | 'CRC32';

/** A checksum as S3 returns it: base64, for a composite one followed by `-` and the number of parts. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** What a version is, but for where its bytes are. */
export interface VersionFacts {
  readonly key: string;
  /** `null` (as text) in a bucket without versioning. */
  readonly versionId: string;
  /** Grows from version to version within a bucket; the order of listings. */
  readonly sequence: number;
  readonly modifiedMs: number;
  readonly deleteMarker: boolean;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  /** Response headers as the writer set them: `content-type`, `x-amz-meta-…`; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: Checksum;
  /** Absent when the body is in the log, or when there is none. */
  readonly files?: readonly BodyFile[];
}

/** A version in the index. */
export interface Version {
  readonly facts: VersionFacts;
  /** Where the body is in the log, when it is there. */
  readonly extent: Extent | undefined;
}

/** One part of a multipart upload. */
export interface Part {
  /** 1-based. */
  readonly partNumber: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly checksum?: Checksum;
  readonly file: BodyFile;
}

/** What a multipart upload is, but for its parts. */
export interface UploadFacts {
  readonly uploadId: string;
  readonly key: string;
  readonly initiatedMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksumAlgorithm?: ChecksumAlgorithm;
}

/** A multipart upload under way. */
export interface Upload {
  readonly facts: UploadFacts;
  readonly parts: Map<number, Part>;
}

/** What a line of the log says happened. */
export type BucketRecord =
  | { readonly kind: 'put'; readonly version: VersionFacts; readonly uploadId?: string }
  | { readonly kind: 'drop'; readonly key: string; readonly versionId: string }
  | { readonly kind: 'upload'; readonly upload: UploadFacts }
  | { readonly kind: 'part'; readonly uploadId: string; readonly part: Part }
  | { readonly kind: 'abort'; readonly uploadId: string };

const SEQUENCE_BYTES = 7;
const RANDOM_BYTES = 17;

/**
 * A version id: its sequence, so that a listing can go on after a version that has been deleted since, and 136
 * random bits, so that it cannot be guessed. 32 base64url characters.
 */
export function makeVersionId(sequence: number): string {
  const bytes = Buffer.alloc(SEQUENCE_BYTES);
  bytes.writeUIntBE(Math.floor(sequence / 256), 0, 6);
  bytes.writeUInt8(sequence % 256, 6);
  return Buffer.concat([bytes, randomBytes(RANDOM_BYTES)]).toString('base64url');
}

/** The sequence inside a version id; undefined when the local cloud cannot have made it. */
export function sequenceOf(versionId: string): number | undefined {
  if (!/^[\w-]{32}$/.test(versionId)) return undefined;
  const bytes = Buffer.from(versionId, 'base64url');
  return bytes.readUIntBE(0, 6) * 256 + bytes.readUInt8(6);
}
