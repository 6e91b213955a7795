import { openFloe } from './floe.ts';
import { aad, concat, sha256, type Bytes } from './primitives.ts';
import { demand } from './refused.ts';

/** Section 7: the bytes that a content of this many is padded to. */
export function padded(sizeBytes: number): number {
  if (sizeBytes < 2) return 1;
  // In integers: a logarithm in floating point is off near powers of two.
  const exponent = BigInt(sizeBytes).toString(2).length - 1;
  const bitsOfExponent = BigInt(exponent).toString(2).length;
  const unit = 2 ** Math.max(0, exponent - bitsOfExponent);
  return Number(((BigInt(sizeBytes) + BigInt(unit) - 1n) / BigInt(unit)) * BigInt(unit));
}

/** Where a blob stands, and what the journal says of it. */
export interface Place {
  readonly vault: string;
  readonly blob: string;
  readonly epoch: number;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly partBytes: number;
  readonly digest: string;
}

const HEADER_BYTES = 74;
const SEGMENT_BYTES = 524_288;
const SEGMENT_PLAINTEXT_BYTES = 524_256;
const MAX_PART_BYTES = 512 * 1024 ** 2;

/** Section 7: the digest of an object, as S3 writes it; composite where the pinned one is. */
function digestOf(object: Uint8Array, { digest, partBytes }: Place): string {
  if (!digest.includes('-')) return Buffer.from(sha256(object)).toString('base64');
  const parts: Uint8Array[] = [];
  // The header comes on top in the first part.
  for (let [start, end] = [0, HEADER_BYTES + partBytes]; start < object.length; end += partBytes) {
    parts.push(sha256(object.subarray(start, end)));
    start = end;
  }
  return `${Buffer.from(sha256(concat(...parts))).toString('base64')}-${String(parts.length)}`;
}

/** Section 7: the content of a file from its blob. */
export function openContent(contentKey: Uint8Array, place: Place, object: Uint8Array): Bytes {
  const paddedBytes = padded(place.sizeBytes);
  const segments = Math.max(1, Math.ceil(paddedBytes / SEGMENT_PLAINTEXT_BYTES));
  const isWhole =
    place.partBytes > 0 && place.partBytes <= MAX_PART_BYTES && place.partBytes % SEGMENT_BYTES === 0;
  const isFitting = place.sealedBytes === HEADER_BYTES + paddedBytes + 32 * segments;
  demand(isWhole && isFitting, 'format_malformed', 'the sizes do not fit each other');
  demand(object.length >= place.sealedBytes, 'ciphertext_truncated', 'shorter than the journal says');
  demand(object.length <= place.sealedBytes, 'ciphertext_overlong', 'longer than the journal says');
  const plaintext = openFloe(contentKey, aad('content', place.vault, place.blob, place.epoch), object);
  demand(digestOf(object, place) === place.digest, 'digest_mismatch', 'another digest than the journal says');
  return plaintext.slice(0, place.sizeBytes);
}
