import { describe, expect, test } from 'vitest';
import { concat, equalBytes, toHex, type Bytes } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import {
  createOpener,
  createSealer,
  HEADER_BYTES,
  open,
  plaintextSize,
  sealedSize,
} from '../../src/lib/crypto/floe.ts';
import { largeVectors, textVectors, type FloeVector } from './floe-vectors.ts';

const SMALL = textVectors();
const LARGE = await largeVectors();

describe('FLOE, known answers', () => {
  test('are all there', () => {
    expect(SMALL).toHaveLength(17);
    expect(LARGE).toHaveLength(7);
  });

  test.each([...SMALL, ...LARGE])('opens $name', async (vector) => {
    const opener = await createOpener(vector.key, vector.aad, vector.sealed.subarray(0, HEADER_BYTES), {
      parameters: vector.parameters,
    });
    const segments = segmentsOf(vector);
    const pieces: Bytes[] = [];
    for (const [index, segment] of segments.entries()) {
      pieces.push(await opener.openSegment(index, segment, index === segments.length - 1));
    }
    expectSame(concat(...pieces), vector.plaintext);
  });

  test.each([...SMALL, ...LARGE])('opens the segments of $name last to first, and twice', async (vector) => {
    const opener = await createOpener(vector.key, vector.aad, vector.sealed.subarray(0, HEADER_BYTES), {
      parameters: vector.parameters,
    });
    const segments = segmentsOf(vector);
    const pieceBytes = vector.parameters.segmentBytes - 32;
    for (let index = segments.length - 1; index >= 0; index--) {
      const segment = segments[index] ?? new Uint8Array(0);
      const expected = vector.plaintext.subarray(index * pieceBytes, (index + 1) * pieceBytes);
      const last = index === segments.length - 1;
      expectSame(await opener.openSegment(index, segment, last), expected);
      expectSame(await opener.openSegment(index, segment, last), expected);
    }
  });

  test.each([...SMALL, ...LARGE])(
    'seals $name byte for byte, given its IV and nonces',
    async ({ key, aad, parameters, plaintext, sealed }) => {
      const vector = { key, aad, parameters, plaintext, sealed };
      const segments = segmentsOf(vector);
      const random = replay([sealed.slice(10, 42), ...segments.map((segment) => segment.slice(4, 16))]);
      const sealer = await createSealer(key, aad, { parameters, random });
      const pieceBytes = parameters.segmentBytes - 32;
      const written = [sealer.header];
      for (const index of segments.keys()) {
        const piece = plaintext.subarray(index * pieceBytes, (index + 1) * pieceBytes);
        written.push(await sealer.sealSegment(index, piece, index === segments.length - 1));
      }
      expectSame(concat(...written), sealed);
    },
  );

  test.each([...SMALL, ...LARGE])('computes the size of $name', ({ parameters, plaintext, sealed, name }) => {
    expect(plaintextSize(sealed.length, parameters)).toBe(plaintext.length);
    // One of them has an empty last segment that nobody would write.
    const emptyLastBytes = name === 'java_lastSegEmpty' ? 32 : 0;
    expect(sealedSize(plaintext.length, parameters)).toBe(sealed.length - emptyLastBytes);
  });

  test.each(LARGE)('opens $name whole', async ({ key, aad, sealed, plaintextSha256 }) => {
    expect(toHex(await sha256(await open(key, aad, sealed)))).toBe(plaintextSha256);
  });
});

function segmentsOf({ sealed, parameters }: Pick<FloeVector, 'sealed' | 'parameters'>): Bytes[] {
  const segments: Bytes[] = [];
  for (let offset = HEADER_BYTES; offset < sealed.length; offset += parameters.segmentBytes) {
    segments.push(sealed.subarray(offset, offset + parameters.segmentBytes));
  }
  return segments;
}

function replay(outputs: Bytes[]): (sizeBytes: number) => Bytes {
  return (sizeBytes) => {
    const output = outputs.shift();
    if (output?.length !== sizeBytes) throw new Error(`no output of ${String(sizeBytes)} bytes is left`);
    return output;
  };
}

/** Without printing megabytes when it fails. */
function expectSame(actual: Bytes, expected: Bytes): void {
  expect(actual.length).toBe(expected.length);
  expect(equalBytes(actual, expected)).toBe(true);
}
