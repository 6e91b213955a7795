import { createCipheriv, createHmac } from 'node:crypto';
import { concat, u32be, u64be, utf8, type Bytes } from '../../reader/primitives.ts';
import { bytesOf } from './bytes.ts';

const SEGMENT_PLAINTEXT_BYTES = 524_256;
/** Section 6: what every header begins with. */
export const PARAMETERS: Bytes = concat(new Uint8Array(2), u32be(524_288), u32be(32));

/** How a segment is written otherwise than section 6 says. */
export interface SegmentFaults {
  readonly isLast?: boolean;
  /** What stands before the nonce. */
  readonly mark?: number;
  /** The index in GCM's AAD; the key is that of the segment's own. */
  readonly aadIndex?: number;
  readonly aadIsLast?: boolean;
}

/** Writes FLOE ciphertexts segment by segment, wrong ones too. */
export class FloeWriter {
  readonly header: Bytes;
  readonly #label: string;
  readonly #segmentKey: (index: number) => Buffer;

  constructor(key: Uint8Array, aad: Uint8Array, label: string, parameters = PARAMETERS) {
    this.#label = label;
    const iv = bytesOf(`${label} iv`, 32);
    const kdf = (k: Uint8Array, purpose: Uint8Array, length: number): Buffer =>
      createHmac('sha384', k)
        .update(concat(parameters, iv, purpose, aad, Uint8Array.of(1)))
        .digest()
        .subarray(0, length);
    this.header = concat(parameters, iv, kdf(key, utf8('HEADER_TAG:'), 32));
    const messageKey = kdf(key, utf8('MESSAGE_KEY:'), 48);
    this.#segmentKey = (index) => kdf(messageKey, concat(utf8('DEK:'), u64be(index - (index % 2 ** 20))), 32);
  }

  segment(index: number, plaintext: Uint8Array, faults: SegmentFaults = {}): Bytes {
    const { isLast = true, mark, aadIndex = index, aadIsLast = isLast } = faults;
    const nonce = this.#nonce(index);
    const cipher = createCipheriv('aes-256-gcm', this.#segmentKey(index), nonce);
    cipher.setAAD(concat(u64be(aadIndex), Uint8Array.of(aadIsLast ? 1 : 0)));
    const ciphertext = concat(cipher.update(plaintext), cipher.final());
    const before = mark ?? (isLast ? plaintext.length + 32 : 0xffffffff);
    return concat(u32be(before), nonce, ciphertext, cipher.getAuthTag());
  }

  /** One whose ciphertext is nothing but zeros: what is large can be told in a few bytes then. */
  zeros(index: number, sizeBytes: number, faults: SegmentFaults = {}): Bytes {
    // What encrypts zeros gives the keystream, and what encrypts the keystream gives zeros.
    const cipher = createCipheriv('aes-256-gcm', this.#segmentKey(index), this.#nonce(index));
    return this.segment(index, cipher.update(new Uint8Array(sizeBytes)), faults);
  }

  #nonce(index: number): Bytes {
    return bytesOf(`${this.#label} nonce ${String(index)}`, 12);
  }
}

/** A whole ciphertext as section 6 says. */
export function sealFloe(key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, label: string): Bytes {
  const writer = new FloeWriter(key, aad, label);
  const count = Math.max(1, Math.ceil(plaintext.length / SEGMENT_PLAINTEXT_BYTES));
  const segments = Array.from({ length: count }, (_, index) => {
    const start = index * SEGMENT_PLAINTEXT_BYTES;
    const piece = plaintext.subarray(start, start + SEGMENT_PLAINTEXT_BYTES);
    return writer.segment(index, piece, { isLast: index === count - 1 });
  });
  return concat(writer.header, ...segments);
}
