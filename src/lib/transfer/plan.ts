import { LIMITS } from '$contract/limits.ts';
import {
  HEADER_BYTES,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
  sealedSize,
  segmentCount,
} from '../crypto/floe.ts';
import { paddedSize } from '../crypto/padding.ts';
import { HalfkeyError } from '../errors.ts';

/**
 * 16 segments are 8 MiB: below that S3's and HTTP's cost per part shows, above it memory and the loss of a retry grow.
 */
const SEGMENTS_PER_PART = 16;

/** One S3 part of a blob: whole segments, after the header in part 1. */
export interface PartPlan {
  /** 1-based, as S3 counts. */
  readonly partNumber: number;
  /** 0-based, of the blob. */
  readonly firstSegmentIndex: number;
  readonly segmentCount: number;
  /** Where the part's ciphertext begins in the blob, and its bytes. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Where its plaintext begins in the padded file, and its bytes. */
  readonly plaintextOffsetBytes: number;
  readonly plaintextBytes: number;
}

/** How a file of some size is laid out in S3. */
export interface BlobPlan {
  /** The file's own length. */
  readonly sizeBytes: number;
  /** After padding. */
  readonly paddedBytes: number;
  /** Of the FLOE ciphertext. */
  readonly sealedBytes: number;
  /** Of the segments in every part but the last; the header comes on top in part 1. */
  readonly partBytes: number;
  readonly partCount: number;
  readonly segmentCount: number;
}

/**
 * The smallest parts of 8 MiB times a power of two with which the blob stays within S3's 10,000.
 * @throws {HalfkeyError} `file_too_large`
 */
export function planBlob(sizeBytes: number): BlobPlan {
  const paddedBytes = paddedSize(sizeBytes);
  const sealedBytes = sealedSize(paddedBytes);
  if (sealedBytes > LIMITS.maxBlobBytes) {
    throw new HalfkeyError(
      'file_too_large',
      `${String(sealedBytes)} of at most ${String(LIMITS.maxBlobBytes)} bytes`,
    );
  }
  const segments = segmentCount(paddedBytes);
  let segmentsPerPart = SEGMENTS_PER_PART;
  while (Math.ceil(segments / segmentsPerPart) > LIMITS.parts) segmentsPerPart *= 2;
  return planned(sizeBytes, paddedBytes, sealedBytes, segmentsPerPart);
}

/** The plan of a blob that is in S3 already, from what its version pins. */
export function planStored(version: { sizeBytes: number; sealedBytes: number; partBytes: number }): BlobPlan {
  const paddedBytes = paddedSize(version.sizeBytes);
  const segmentsPerPart = version.partBytes / SEGMENT_BYTES;
  if (
    sealedSize(paddedBytes) !== version.sealedBytes ||
    !Number.isSafeInteger(segmentsPerPart) ||
    segmentsPerPart < 1 ||
    version.partBytes > LIMITS.maxPartBytes
  ) {
    throw new HalfkeyError('format_malformed', 'the sizes that the journal pins do not fit each other');
  }
  return planned(version.sizeBytes, paddedBytes, version.sealedBytes, segmentsPerPart);
}

function planned(
  sizeBytes: number,
  paddedBytes: number,
  sealedBytes: number,
  segmentsPerPart: number,
): BlobPlan {
  const segments = segmentCount(paddedBytes);
  return {
    sizeBytes,
    paddedBytes,
    sealedBytes,
    partBytes: segmentsPerPart * SEGMENT_BYTES,
    partCount: Math.ceil(segments / segmentsPerPart),
    segmentCount: segments,
  };
}

/** Bytes of a blob's largest part: the first, with the header, or the only one. */
export function largestPartBytes({ sealedBytes, partBytes }: BlobPlan): number {
  return Math.min(sealedBytes, partBytes + HEADER_BYTES);
}

/** Bytes of one part's ciphertext. @param partNumber 1-based */
export function partSizeBytes(
  { sealedBytes, partBytes, partCount }: Pick<BlobPlan, 'sealedBytes' | 'partBytes' | 'partCount'>,
  partNumber: number,
): number {
  const offsetBytes = partNumber === 1 ? 0 : HEADER_BYTES + (partNumber - 1) * partBytes;
  const endBytes = partNumber === partCount ? sealedBytes : HEADER_BYTES + partNumber * partBytes;
  return endBytes - offsetBytes;
}

/** @param partNumber 1-based */
export function planPart(plan: BlobPlan, partNumber: number): PartPlan {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > plan.partCount) {
    throw new RangeError(`expected a part from 1 to ${String(plan.partCount)}, got ${String(partNumber)}`);
  }
  const perPart = plan.partBytes / SEGMENT_BYTES;
  const firstSegmentIndex = (partNumber - 1) * perPart;
  const first = partNumber === 1;
  const last = partNumber === plan.partCount;
  const offsetBytes = first ? 0 : HEADER_BYTES + firstSegmentIndex * SEGMENT_BYTES;
  const plaintextOffsetBytes = firstSegmentIndex * SEGMENT_PLAINTEXT_BYTES;
  return {
    partNumber,
    firstSegmentIndex,
    segmentCount: last ? plan.segmentCount - firstSegmentIndex : perPart,
    offsetBytes,
    sizeBytes: last ? plan.sealedBytes - offsetBytes : plan.partBytes + (first ? HEADER_BYTES : 0),
    plaintextOffsetBytes,
    plaintextBytes: last ? plan.paddedBytes - plaintextOffsetBytes : perPart * SEGMENT_PLAINTEXT_BYTES,
  };
}
