import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes, toHex, utf8 } from '../../src/lib/bytes.ts';
import { generateDeviceWrapKey } from '../../src/lib/crypto/device-wrap.ts';
import {
  createOpener,
  createSealer,
  HEADER_BYTES,
  open,
  plaintextSize,
  seal,
  sealedSize,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
  segmentCount,
} from '../../src/lib/crypto/floe.ts';
import { patternBytes } from './floe-vectors.ts';
import { fromHex } from './hex.ts';
import { refusal, refusalCode } from './refusal.ts';

const WHOLE = SEGMENT_PLAINTEXT_BYTES;
const KEY = fromHex('11'.repeat(32));
const AAD = utf8('boundaries');

describe('sizes', () => {
  test.each([
    { plaintextBytes: 0, count: 1, sealedBytes: 106 },
    { plaintextBytes: 1, count: 1, sealedBytes: 107 },
    { plaintextBytes: WHOLE - 1, count: 1, sealedBytes: 524_361 },
    { plaintextBytes: WHOLE, count: 1, sealedBytes: 524_362 },
    { plaintextBytes: WHOLE + 1, count: 2, sealedBytes: 524_395 },
    { plaintextBytes: 2 * WHOLE, count: 2, sealedBytes: 1_048_650 },
    { plaintextBytes: 2 * WHOLE + 1, count: 3, sealedBytes: 1_048_683 },
    { plaintextBytes: 5_000_000_000, count: 9538, sealedBytes: 5_000_305_290 },
  ])(
    '$plaintextBytes bytes give $count segments, $sealedBytes sealed',
    ({ plaintextBytes, count, sealedBytes }) => {
      expect(segmentCount(plaintextBytes)).toBe(count);
      expect(sealedSize(plaintextBytes)).toBe(sealedBytes);
      expect(plaintextSize(sealedBytes)).toBe(plaintextBytes);
    },
  );

  test('of plaintext and ciphertext are each other’s inverse', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (plaintextBytes) => {
        expect(plaintextSize(sealedSize(plaintextBytes))).toBe(plaintextBytes);
      }),
      { seed: 4 },
    );
  });

  test.each([
    -1,
    0,
    1,
    73,
    74,
    105,
    SEGMENT_BYTES + HEADER_BYTES + 1,
    SEGMENT_BYTES + HEADER_BYTES + 31,
    106.5,
  ])('no ciphertext is %d bytes long', (sealedBytes) => {
    expect(() => plaintextSize(sealedBytes)).toThrow(
      expect.objectContaining({ code: 'ciphertext_truncated' }),
    );
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53, 2 ** 40 * WHOLE + 1])('no plaintext is %d bytes long', (bytes) => {
    expect(() => sealedSize(bytes)).toThrow(RangeError);
    expect(() => segmentCount(bytes)).toThrow(RangeError);
  });
});

describe('seal and open', () => {
  test.each([0, 1, WHOLE - 1, WHOLE, WHOLE + 1, 2 * WHOLE])('give %d bytes back', async (sizeBytes) => {
    const plaintext = patternBytes(sizeBytes);
    const sealed = await seal(KEY, AAD, plaintext);
    expect(sealed.length).toBe(sealedSize(sizeBytes));
    expect(equalBytes(await open(KEY, AAD, sealed), plaintext)).toBe(true);
  });

  test('give any bytes back, under any AAD', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (plaintext, aad) => {
        const sealed = await seal(KEY, new Uint8Array(aad), plaintext);
        expect(toHex(await open(KEY, new Uint8Array(aad), sealed))).toBe(toHex(plaintext));
      }),
      { seed: 5, numRuns: 50 },
    );
  });

  test('take views into larger buffers, shared ones included', async () => {
    // A page that is not isolated has no SharedArrayBuffer by name, but WebAssembly shares memory all the same.
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const plaintext = new Uint8Array(buffer, 5, 20).fill(7);
    const sealed = await seal(KEY, AAD, plaintext);
    const sharedSealed = new Uint8Array(buffer, 103, sealed.length);
    sharedSealed.set(sealed);
    expect(toHex(await open(KEY, AAD, sharedSealed))).toBe('07'.repeat(20));
  });

  test('never give the same ciphertext twice', async () => {
    const [first, second] = [await seal(KEY, AAD, utf8('same')), await seal(KEY, AAD, utf8('same'))];
    expect(toHex(first.subarray(10, 42))).not.toBe(toHex(second.subarray(10, 42)));
    expect(toHex(first.subarray(HEADER_BYTES))).not.toBe(toHex(second.subarray(HEADER_BYTES)));
  });
});

describe('a key', () => {
  test('that cannot be extracted opens what its bytes sealed, and the other way round', async () => {
    const held = await crypto.subtle.importKey('raw', KEY, { name: 'HMAC', hash: 'SHA-384' }, false, [
      'sign',
    ]);
    expect(await open(held, AAD, await seal(KEY, AAD, utf8('one')))).toEqual(utf8('one'));
    expect(await open(KEY, AAD, await seal(held, AAD, utf8('two')))).toEqual(utf8('two'));
  });

  test('of the device opens what it sealed, and nobody reads it', async () => {
    const [device, other] = [await generateDeviceWrapKey(), await generateDeviceWrapKey()];
    const sealed = await seal(device, AAD, utf8('at rest'));
    expect(await open(device, AAD, sealed)).toEqual(utf8('at rest'));
    expect(await refusalCode(open(other, AAD, sealed))).toBe('key_mismatch');
    expect(device.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', device)).rejects.toThrow();
  });

  test('of another size or kind is a programming error', async () => {
    await expect(seal(new Uint8Array(31), AAD, AAD)).rejects.toThrow(RangeError);
    await expect(seal(new Uint8Array(48), AAD, AAD)).rejects.toThrow(RangeError);
    const sha256Key = await crypto.subtle.importKey('raw', KEY, { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]);
    await expect(seal(sha256Key, AAD, AAD)).rejects.toThrow(TypeError);
  });
});

describe('a sealer', () => {
  test('writes into its place and nowhere else', async () => {
    const sealer = await createSealer(KEY, AAD);
    const buffer = new Uint8Array(100).fill(0xaa);
    await sealer.sealSegmentInto(0, utf8('place'), true, buffer.subarray(20, 57));
    const opener = await createOpener(KEY, AAD, sealer.header);
    expect(await opener.openSegment(0, buffer.subarray(20, 57), true)).toEqual(utf8('place'));
    expect(buffer.subarray(0, 20).every((byte) => byte === 0xaa)).toBe(true);
    expect(buffer.subarray(57).every((byte) => byte === 0xaa)).toBe(true);
  });

  test('seals segments in any order, many at a time, and one again under another nonce', async () => {
    const parameters = { segmentBytes: 64, rotationBits: 1 };
    const sealer = await createSealer(KEY, AAD, { parameters });
    const opener = await createOpener(KEY, AAD, sealer.header, { parameters });
    const pieces = Array.from({ length: 9 }, (_, index) => new Uint8Array(32).fill(index));
    const order = [8, 0, 3, 1, 7, 2, 6, 5, 4, 0];
    const sealed = await Promise.all(
      order.map(async (index) => ({
        index,
        bytes: await sealer.sealSegment(index, pieces[index] ?? new Uint8Array(0), index === 8),
      })),
    );
    for (const { index, bytes } of sealed) {
      expect(await opener.openSegment(index, bytes, index === 8)).toEqual(pieces[index]);
    }
    expect(toHex(sealed[1]?.bytes ?? AAD)).not.toBe(toHex(sealed[9]?.bytes ?? AAD));
  });

  test('refuses an inner segment that is not whole, and a target of another size', async () => {
    const sealer = await createSealer(KEY, AAD);
    await expect(sealer.sealSegment(0, new Uint8Array(WHOLE - 1), false)).rejects.toThrow(RangeError);
    await expect(sealer.sealSegment(0, new Uint8Array(WHOLE + 1), false)).rejects.toThrow(RangeError);
    await expect(sealer.sealSegment(0, new Uint8Array(WHOLE + 1), true)).rejects.toThrow(RangeError);
    await expect(sealer.sealSegmentInto(0, utf8('1'), true, new Uint8Array(32))).rejects.toThrow(RangeError);
    await expect(sealer.sealSegmentInto(0, utf8('1'), true, new Uint8Array(34))).rejects.toThrow(RangeError);
  });

  test.each([-1, 0.5, 2 ** 40, Number.NaN])(
    'refuses segment index %d, which FLOE does not have',
    async (index) => {
      const sealer = await createSealer(KEY, AAD);
      await expect(sealer.sealSegment(index, utf8('x'), true)).rejects.toThrow(RangeError);
      const opener = await createOpener(KEY, AAD, sealer.header);
      const segment = await sealer.sealSegment(0, utf8('x'), true);
      await expect(opener.openSegment(index, segment, true)).rejects.toThrow(RangeError);
    },
  );

  // Both ends of a rotation group of 2^20, and indices beyond 32 bits.
  test.each([2 ** 20 - 1, 2 ** 20, 2 ** 20 + 5, 2 ** 32 - 1, 2 ** 32 + 1, 2 ** 40 - 1])(
    'seals segment %d under the key of its group, by the letter of the specification',
    async (segmentIndex) => {
      const nonce = fromHex('0102030405060708090a0b0c');
      const iv = fromHex('42'.repeat(32));
      const random = (sizeBytes: number) => (sizeBytes === 32 ? iv : nonce);
      const sealer = await createSealer(KEY, AAD, { random });
      const segment = await sealer.sealSegment(segmentIndex, utf8('far out'), true);

      const prefix = new Uint8Array([0, 0, 0, 8, 0, 0, 0, 0, 0, 32, ...iv]);
      const group = BigInt(segmentIndex) & ~0xfffffn;
      const messageKey = await hmac384(KEY, [...prefix, ...utf8('MESSAGE_KEY:'), ...AAD, 1]);
      const purpose = [...utf8('DEK:'), ...bigEndian64(group)];
      const dek = await hmac384(messageKey, [...prefix, ...purpose, ...AAD, 1]);
      const key = await crypto.subtle.importKey('raw', dek.slice(0, 32), 'AES-GCM', false, ['encrypt']);
      const additionalData = new Uint8Array([...bigEndian64(BigInt(segmentIndex)), 1]);
      const body = await crypto.subtle.encrypt(
        { name: 'AES-GCM', iv: nonce, additionalData },
        key,
        utf8('far out'),
      );
      expect(toHex(segment)).toBe(toHex(new Uint8Array([0, 0, 0, 39, ...nonce, ...new Uint8Array(body)])));

      const opener = await createOpener(KEY, AAD, sealer.header);
      expect(await opener.openSegment(segmentIndex, segment, true)).toEqual(utf8('far out'));
      const error = await refusal(opener.openSegment(segmentIndex - 1, segment, true));
      expect([error.code, error.detail.segmentIndex]).toEqual(['segment_corrupt', segmentIndex - 1]);
    },
  );
});

async function hmac384(key: Uint8Array<ArrayBuffer>, message: number[]): Promise<Uint8Array<ArrayBuffer>> {
  const held = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-384' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', held, new Uint8Array(message)));
}

function bigEndian64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}
