import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, equalBytes, utf8, type Bytes } from '../../src/lib/bytes.ts';
import {
  createOpener,
  createSealer,
  HEADER_BYTES,
  open,
  seal,
  sealedSize,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
} from '../../src/lib/crypto/floe.ts';
import type { HalfkeyError } from '../../src/lib/errors.ts';
import { patternBytes } from './floe-vectors.ts';
import { fromHex } from './hex.ts';
import { refusal, refusalCode } from './refusal.ts';

const KEY = fromHex('22'.repeat(32));
const OTHER_KEY = fromHex('23'.repeat(32));
const AAD = utf8('tampering');
const LAST_BYTES = 1000;
const SEGMENTS = 5;
const PLAINTEXT = patternBytes(4 * SEGMENT_PLAINTEXT_BYTES + LAST_BYTES);
const SEALED = await seal(KEY, AAD, PLAINTEXT);
const SMALL = await seal(KEY, AAD, patternBytes(94));

describe('segments in another order', () => {
  const pairs = [0, 1, 2, 3, 4].flatMap((i) => [0, 1, 2, 3, 4].filter((j) => j > i).map((j) => ({ i, j })));

  test.each(pairs)(
    '$i and $j swapped are refused at $i, and nothing is given out from there on',
    async ({ i, j }) => {
      const segments = segmentsOf(SEALED);
      [segments[i], segments[j]] = [at(segments, j), at(segments, i)];
      const { given, error } = await openInOrder(segments);
      expect(error?.detail.segmentIndex).toBe(i);
      expect(error?.family).toBe('corrupt');
      // The last segment is shorter: in an inner place it says of itself that it is the last.
      expect(error?.code).toBe(j === SEGMENTS - 1 ? 'ciphertext_truncated' : 'segment_corrupt');
      expect(equalBytes(given, PLAINTEXT.subarray(0, i * SEGMENT_PLAINTEXT_BYTES))).toBe(true);
      expect(
        (await refusal(open(KEY, AAD, concat(SEALED.subarray(0, HEADER_BYTES), ...segments)))).family,
      ).toBe('corrupt');
    },
  );

  test('one doubled and one left out is refused at its place', async () => {
    const [a, b, c, d, e] = segmentsOf(SEALED);
    const doubled = await openInOrder([a, b, b, d, e].filter(isBytes));
    expect([doubled.error?.code, doubled.error?.detail.segmentIndex]).toEqual(['segment_corrupt', 2]);
    const missing = await openInOrder([a, c, d, e].filter(isBytes));
    expect([missing.error?.code, missing.error?.detail.segmentIndex]).toEqual(['segment_corrupt', 1]);
  });
});

describe('a ciphertext cut off', () => {
  const boundaries = [0, 1, 2, 3, 4].map((count) => HEADER_BYTES + count * SEGMENT_BYTES);
  const cuts = [...boundaries.flatMap((at) => [at - 1, at, at + 1]), SEALED.length - 1, 0, 1];

  test.each(cuts)('to %d bytes is refused as truncated', async (cut) => {
    expect(await refusalCode(open(KEY, AAD, SEALED.subarray(0, cut)))).toBe('ciphertext_truncated');
  });

  test('to any length is refused, of a small one', async () => {
    for (let cut = 0; cut < SMALL.length; cut++) {
      expect(await refusalCode(open(KEY, AAD, SMALL.subarray(0, cut)))).toBe('ciphertext_truncated');
    }
  });

  test('after an inner segment that is called the last one is refused, and so is the last called inner', async () => {
    const opener = await createOpener(KEY, AAD, SEALED.subarray(0, HEADER_BYTES));
    const segments = segmentsOf(SEALED);
    expect(await refusalCode(opener.openSegment(3, at(segments, 3), true))).toBe('ciphertext_truncated');
    const whole = await createSealer(KEY, AAD);
    const last = await whole.sealSegment(0, PLAINTEXT.subarray(0, SEGMENT_PLAINTEXT_BYTES), true);
    const wholeOpener = await createOpener(KEY, AAD, whole.header);
    expect(await refusalCode(wholeOpener.openSegment(0, last, false))).toBe('ciphertext_overlong');
  });

  test('and marked anew as ending there fails the tag', async () => {
    const forged = at(segmentsOf(SEALED), 3).slice();
    new DataView(forged.buffer).setUint32(0, forged.length);
    const opener = await createOpener(KEY, AAD, SEALED.subarray(0, HEADER_BYTES));
    expect(await refusalCode(opener.openSegment(3, forged, true))).toBe('segment_corrupt');
  });
});

describe('bytes after the end', () => {
  const tails = { 'one byte': new Uint8Array(1), '16 bytes': new Uint8Array(16) };

  test.each(Object.entries(tails))('are refused: %s', async (_name, tail) => {
    expect(await refusalCode(open(KEY, AAD, concat(SEALED, tail)))).toBe('ciphertext_overlong');
    expect(await refusalCode(open(KEY, AAD, concat(SMALL, tail)))).toBe('ciphertext_overlong');
  });

  test.each([1, 16, 32, 1000])(
    'are refused after a last segment that is full: %d of them',
    async (tailBytes) => {
      const full = await seal(KEY, AAD, PLAINTEXT.subarray(0, SEGMENT_PLAINTEXT_BYTES));
      const { code } = await refusal(open(KEY, AAD, concat(full, new Uint8Array(tailBytes))));
      expect(code).toBe('ciphertext_overlong');
    },
  );

  test('are refused when they are a whole valid segment of the same file, first or last', async () => {
    const segments = segmentsOf(SEALED);
    expect((await refusal(open(KEY, AAD, concat(SEALED, at(segments, 0))))).family).toBe('corrupt');
    expect((await refusal(open(KEY, AAD, concat(SEALED, at(segments, 4))))).family).toBe('corrupt');
    const two = await seal(KEY, AAD, PLAINTEXT.subarray(0, 2 * SEGMENT_PLAINTEXT_BYTES));
    for (const segment of segmentsOf(two)) {
      expect(await refusalCode(open(KEY, AAD, concat(two, segment)))).toBe('ciphertext_overlong');
    }
  });
});

describe('bits flipped', () => {
  test('each one of a ciphertext of 200 bytes is refused, by what it is part of', async () => {
    expect(SMALL).toHaveLength(200);
    for (let bit = 0; bit < 8 * SMALL.length; bit++) {
      const { code } = await refusal(open(KEY, AAD, flip(SMALL, bit)));
      expect(code, `bit ${String(bit)}`).toMatch(codesOfByte(Math.floor(bit / 8)));
    }
  });

  const codesOfByte = (byte: number): RegExp => {
    if (byte < 10) return /^format_malformed$/;
    if (byte < HEADER_BYTES) return /^key_mismatch$/;
    return byte < HEADER_BYTES + 4 ? /^(ciphertext_|segment_corrupt)/ : /^segment_corrupt$/;
  };

  test('any one of five segments is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 8 * SEALED.length - 1 }), async (bit) => {
        const { family } = await refusal(open(KEY, AAD, flip(SEALED, bit)));
        expect(family).toBe('corrupt');
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('any bytes written over any place are refused', async () => {
    const change = fc.uint8Array({ minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.nat(SMALL.length - 1), change, async (offset, bytes) => {
        const changed = SMALL.slice();
        changed.set(bytes.subarray(0, SMALL.length - offset), offset);
        fc.pre(!equalBytes(changed, SMALL));
        expect((await refusal(open(KEY, AAD, changed))).family).toBe('corrupt');
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test('any bytes at all are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await refusal(open(KEY, AAD, bytes))).family).toBe('corrupt');
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe('another ciphertext in its place', () => {
  test('of another key is told apart from damage', async () => {
    const other = await seal(OTHER_KEY, AAD, PLAINTEXT.subarray(0, 94));
    expect(await refusalCode(open(KEY, AAD, other))).toBe('key_mismatch');
    expect(await refusalCode(open(OTHER_KEY, AAD, SMALL))).toBe('key_mismatch');
  });

  test('of the same key, but another context, is refused', async () => {
    const other = await seal(KEY, utf8('tampering!'), PLAINTEXT.subarray(0, 94));
    expect(await refusalCode(open(KEY, AAD, other))).toBe('key_mismatch');
  });

  test('of the same key and context has segments that do not fit the header', async () => {
    const other = await seal(KEY, AAD, patternBytes(94));
    const spliced = concat(SMALL.subarray(0, HEADER_BYTES), other.subarray(HEADER_BYTES));
    expect(await refusalCode(open(KEY, AAD, spliced))).toBe('segment_corrupt');
  });
});

describe('another algorithm or parameter', () => {
  test('each of the 255 other values of each parameter byte is refused before anything is opened', async () => {
    for (let offset = 0; offset < 10; offset++) {
      for (let difference = 1; difference < 256; difference++) {
        const header = SMALL.slice(0, HEADER_BYTES);
        header[offset] = (header[offset] ?? 0) ^ difference;
        expect(await refusalCode(createOpener(KEY, AAD, header))).toBe('format_malformed');
      }
    }
  });

  test('a header of another length is refused', async () => {
    const header = SEALED.subarray(0, HEADER_BYTES);
    expect(await refusalCode(createOpener(KEY, AAD, header.subarray(1)))).toBe('ciphertext_truncated');
    expect(await refusalCode(createOpener(KEY, AAD, SEALED.subarray(0, 75)))).toBe('ciphertext_overlong');
  });

  test('a ciphertext of smaller segments is refused, though its key is right', async () => {
    const parameters = { segmentBytes: 4096 };
    const sealer = await createSealer(KEY, AAD, { parameters });
    expect(await refusalCode(createOpener(KEY, AAD, sealer.header))).toBe('format_malformed');
  });
});

test('a segment of an impossible size is refused with its index', async () => {
  const opener = await createOpener(KEY, AAD, SEALED.subarray(0, HEADER_BYTES));
  const sizes = [
    { sizeBytes: 0, last: true, code: 'ciphertext_truncated' },
    { sizeBytes: 31, last: true, code: 'ciphertext_truncated' },
    { sizeBytes: SEGMENT_BYTES - 1, last: false, code: 'ciphertext_truncated' },
    { sizeBytes: SEGMENT_BYTES + 1, last: false, code: 'ciphertext_overlong' },
    { sizeBytes: SEGMENT_BYTES + 1, last: true, code: 'ciphertext_overlong' },
    { sizeBytes: 32, last: true, code: 'segment_corrupt' },
  ];
  for (const { sizeBytes, last, code } of sizes) {
    const error = await refusal(opener.openSegment(7, new Uint8Array(sizeBytes), last));
    expect([error.code, error.detail.segmentIndex]).toEqual([code, 7]);
  }
});

function segmentsOf(sealed: Bytes): Bytes[] {
  const segments: Bytes[] = [];
  for (let offset = HEADER_BYTES; offset < sealed.length; offset += SEGMENT_BYTES) {
    segments.push(sealed.subarray(offset, offset + SEGMENT_BYTES));
  }
  expect(sealedSize(sealed.length - HEADER_BYTES - 32 * segments.length)).toBe(sealed.length);
  return segments;
}

/** As a download does: by the number of segments that it knows beforehand, each given out once it is opened. */
async function openInOrder(segments: readonly Bytes[]): Promise<{ given: Bytes; error?: HalfkeyError }> {
  const opener = await createOpener(KEY, AAD, SEALED.subarray(0, HEADER_BYTES));
  const pieces: Bytes[] = [];
  for (const [index, segment] of segments.entries()) {
    const opening = opener.openSegment(index, segment, index === SEGMENTS - 1);
    const piece = await opening.catch(() => undefined);
    if (!piece) return { given: concat(...pieces), error: await refusal(opening) };
    pieces.push(piece);
  }
  return { given: concat(...pieces) };
}

function flip(bytes: Bytes, bit: number): Bytes {
  const flipped = bytes.slice();
  const index = Math.floor(bit / 8);
  flipped[index] = (flipped[index] ?? 0) ^ (1 << (bit % 8));
  return flipped;
}

function at(segments: readonly Bytes[], index: number): Bytes {
  const segment = segments[index];
  if (!segment) throw new Error(`no segment ${String(index)}`);
  return segment;
}

function isBytes(value: Bytes | undefined): value is Bytes {
  return value !== undefined;
}
