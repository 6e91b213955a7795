import { release, type Bytes } from '../../bytes.ts';
import { HEADER_BYTES, SEGMENT_BYTES, SEGMENT_PLAINTEXT_BYTES, type Sealer } from '../../crypto/floe.ts';
import { HalfkeyError } from '../../errors.ts';
import type { PartBuffers } from '../memory.ts';
import { planPart, type BlobPlan, type PartPlan } from '../plan.ts';

/**
 * Reads, pads and seals one part of a file. Memory: the part's plaintext, which is released, and its ciphertext.
 * @param buffers where the ciphertext's memory is taken from, and to be given back to
 * @param look sees the part's padded plaintext before it is gone
 */
export async function sealPart(
  source: Blob,
  sealer: Sealer,
  plan: BlobPlan,
  partNumber: number,
  buffers: PartBuffers,
  look?: (plaintext: Bytes) => Promise<void>,
): Promise<Bytes> {
  const part = planPart(plan, partNumber);
  const plaintext = await readPadded(source, plan, part);
  await look?.(plaintext);
  const bytes = buffers.take(part.sizeBytes);
  let offset = 0;
  if (partNumber === 1) {
    bytes.set(sealer.header);
    offset = HEADER_BYTES;
  }
  for (let index = 0; index < part.segmentCount; index++) {
    const segmentIndex = part.firstSegmentIndex + index;
    const segment = plaintext.subarray(
      index * SEGMENT_PLAINTEXT_BYTES,
      (index + 1) * SEGMENT_PLAINTEXT_BYTES,
    );
    const target = bytes.subarray(offset, offset + SEGMENT_BYTES);
    await sealer.sealSegmentInto(segmentIndex, segment, segmentIndex === plan.segmentCount - 1, target);
    offset += target.length;
  }
  release(plaintext);
  return bytes;
}

/** The part's plaintext: what the file has of it, zeros after its end. */
export async function readPadded(source: Blob, plan: BlobPlan, part: PartPlan): Promise<Bytes> {
  // A picked file that was changed or removed since refuses to be read in Chromium and Firefox; a size that differs is
  // the same.
  if (source.size !== plan.sizeBytes)
    throw new HalfkeyError('source_changed', 'the file has another size now');
  const from = part.plaintextOffsetBytes;
  const until = Math.min(from + part.plaintextBytes, plan.sizeBytes);
  const read = await readSource(source, from, until);
  if (read.length !== Math.max(0, until - from)) {
    throw new HalfkeyError(
      'source_changed',
      `read ${String(read.length)} bytes instead of ${String(until - from)}`,
    );
  }
  if (read.length === part.plaintextBytes) return read;
  const padded = new Uint8Array(part.plaintextBytes);
  padded.set(read);
  release(read);
  return padded;
}

/** One slice, read whole: 8 MiB at a time is twice as fast as 1 MiB, and WebKit's streams are slower. */
async function readSource(source: Blob, from: number, until: number): Promise<Bytes> {
  try {
    if (until > from) return new Uint8Array(await source.slice(from, until).arrayBuffer());
    // A file that is gone has the size 0 in Chromium, and a slice of nothing reads nothing: only the file itself says
    // so.
    return source.size === 0 ? new Uint8Array(await source.arrayBuffer()) : new Uint8Array(0);
  } catch (cause) {
    throw new HalfkeyError('source_changed', 'the file changed or went away while it was read', { cause });
  }
}
