import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { concat, equal, u32be, u64be, utf8, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';

const SEGMENT_BYTES = 524_288;
const HEADER_BYTES = 74;
const OVERHEAD_BYTES = 32;
const ROTATION = 2 ** 20;
const PARAMETERS = concat(new Uint8Array([0, 0]), u32be(SEGMENT_BYTES), u32be(32));
const INNER = new Uint8Array([0xff, 0xff, 0xff, 0xff]);

/** Section 6: everything that a FLOE ciphertext seals, or nothing. */
export function openFloe(key: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Bytes {
  demand(ciphertext.length >= HEADER_BYTES, 'ciphertext_truncated', 'no whole header');
  demand(equal(ciphertext.subarray(0, 10), PARAMETERS), 'format_malformed', 'other parameters');
  const iv = ciphertext.subarray(10, 42);
  const kdf = (k: Uint8Array, purpose: Uint8Array, length: number): Buffer =>
    createHmac('sha384', k)
      .update(concat(PARAMETERS, iv, purpose, aad, new Uint8Array([1])))
      .digest()
      .subarray(0, length);
  const tag = kdf(key, utf8('HEADER_TAG:'), 32);
  demand(timingSafeEqual(tag, ciphertext.subarray(42, HEADER_BYTES)), 'key_mismatch', 'another header tag');
  const messageKey = kdf(key, utf8('MESSAGE_KEY:'), 48);
  const bodyBytes = ciphertext.length - HEADER_BYTES;
  const segments = Math.ceil(bodyBytes / SEGMENT_BYTES);
  demand(segments > 0, 'ciphertext_truncated', 'no segment');
  const opened = Array.from({ length: segments }, (_, index) => {
    const start = HEADER_BYTES + index * SEGMENT_BYTES;
    const segmentKey = kdf(messageKey, concat(utf8('DEK:'), u64be(index - (index % ROTATION))), 32);
    const sealed = ciphertext.subarray(start, start + SEGMENT_BYTES);
    return openSegment(segmentKey, sealed, index, index === segments - 1);
  });
  return concat(...opened);
}

function openSegment(key: Uint8Array, sealed: Uint8Array, index: number, isLast: boolean): Uint8Array {
  demand(sealed.length >= OVERHEAD_BYTES, 'ciphertext_truncated', 'a segment shorter than 32 bytes');
  const marker = isLast ? u32be(sealed.length) : INNER;
  if (!equal(sealed.subarray(0, 4), marker)) throw new Refused(codeOfMark(sealed, isLast), 'another length');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(4, 16), { authTagLength: 16 });
  decipher.setAAD(concat(u64be(index), new Uint8Array([isLast ? 1 : 0])));
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(16, -16)), decipher.final()]);
  } catch {
    throw new Refused('segment_corrupt', `segment ${String(index)} does not open`);
  }
}

/** Section 6: what a segment that begins otherwise than it should is refused as. */
function codeOfMark(sealed: Uint8Array, isLast: boolean): string {
  const mark = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0);
  if (isLast && mark === 0xffffffff) return 'ciphertext_truncated';
  if (mark < OVERHEAD_BYTES || mark > SEGMENT_BYTES) return 'segment_corrupt';
  return isLast && mark > sealed.length ? 'ciphertext_truncated' : 'ciphertext_overlong';
}
