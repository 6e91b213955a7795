import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paddedSize } from '../../src/lib/crypto/padding.ts';

const MAX = Number.MAX_SAFE_INTEGER;

describe('padding (Padmé)', () => {
  test.each([
    [0, 1], // An empty file is like the shortest ones.
    [1, 1],
    [2, 2],
    [7, 7],
    [8, 8],
    [9, 10],
    [10, 10],
    [11, 12],
    [15, 16],
    [16, 16],
    [17, 18],
    [100, 104],
    [255, 256],
    [256, 256],
    [257, 272],
    [1000, 1024],
    [1024, 1024],
    [1025, 1088],
    [65_536, 65_536],
    [65_537, 67_584],
    [524_256, 524_288],
    [1_000_000, 1_015_808],
    [8_388_608, 8_388_608],
    [8_388_609, 8_650_752],
    [5_000_000_000, 5_033_164_800],
    [2 ** 32, 2 ** 32],
    [2 ** 32 + 1, 2 ** 32 + 2 ** 26],
    [2 ** 52, 2 ** 52],
    [2 ** 52 + 1, 2 ** 52 + 2 ** 46],
    [MAX, 2 ** 53],
  ])('makes of %d bytes %d', (trueBytes, padded) => {
    expect(paddedSize(trueBytes)).toBe(padded);
  });

  const sizes = fc.oneof(
    fc.nat(10_000),
    fc.maxSafeNat(),
    fc.integer({ min: 0, max: 53 }).map((e) => 2 ** e - 1),
  );

  test('is the published function, computed on whole numbers', () => {
    fc.assert(
      fc.property(sizes, (trueBytes) => {
        fc.pre(trueBytes > 1);
        expect(BigInt(paddedSize(trueBytes))).toBe(padme(BigInt(trueBytes)));
      }),
      { seed: 7, numRuns: 2000 },
    );
  });

  test('never shrinks, adds at most 12 %, keeps order, and padding twice changes nothing', () => {
    fc.assert(
      fc.property(sizes, (trueBytes) => {
        fc.pre(trueBytes > 0 && trueBytes < MAX && paddedSize(trueBytes) <= MAX);
        const padded = paddedSize(trueBytes);
        expect(padded).toBeGreaterThanOrEqual(trueBytes);
        expect((padded - trueBytes) / trueBytes).toBeLessThan(0.12);
        expect(paddedSize(trueBytes + 1)).toBeGreaterThanOrEqual(padded);
        expect(paddedSize(padded)).toBe(padded);
      }),
      { seed: 8, numRuns: 2000 },
    );
  });

  test('leaves few sizes: less than 1,200 up to 1 TiB', () => {
    const seen = new Set<number>();
    for (let size = 0; size <= 2 ** 40; size = paddedSize(size + 1)) seen.add(size);
    expect(seen.size).toBeLessThan(1200);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses %d', (size) => {
    expect(() => paddedSize(size)).toThrow(RangeError);
  });
});

/** As the paper has it: E = ⌊log2 L⌋, S = ⌊log2 E⌋ + 1, the last E − S bits become zero, rounding up. */
function padme(size: bigint): bigint {
  const exponent = size.toString(2).length - 1;
  const significant = exponent === 0 ? 0 : exponent.toString(2).length;
  const mask = (1n << BigInt(Math.max(0, exponent - significant))) - 1n;
  return (size + mask) & ~mask;
}
