import { expect } from 'vitest';
import { sealedSize } from '../../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../../src/lib/crypto/padding.ts';
import { row } from '../support/row.ts';
import { randomOf } from '../support/subject.ts';

row(
  'I1',
  {
    attack: 'what sizes of files tell',
    tried: 'seeded sizes from 0 bytes to 2^46, spread evenly over their magnitudes',
  },
  async (t) => {
    await Promise.resolve();
    const random = randomOf(1);
    const perMagnitude = new Map<number, Set<number>>();
    for (let count = 0; count < (t.full ? 1_000_000 : 10_000); count++) {
      const sizeBytes = Math.floor(2 ** (random() * 46));
      const padded = paddedSize(sizeBytes);
      expect(padded).toBeGreaterThanOrEqual(Math.max(1, sizeBytes));
      // One byte more than 12 % of the smallest: sizes are whole numbers.
      expect(padded).toBeLessThanOrEqual(Math.max(1, Math.floor(sizeBytes * 1.12) + 1));
      expect(sealedSize(padded)).toBe(sealedSize(paddedSize(padded)));
      const magnitude = Math.floor(Math.log2(padded));
      perMagnitude.set(magnitude, (perMagnitude.get(magnitude) ?? new Set()).add(padded));
      t.vary(1);
    }
    // Padmé leaves log log of a length: so many sizes at most are told apart between a power of two and the next.
    for (const [magnitude, sizes] of perMagnitude)
      expect(sizes.size).toBeLessThanOrEqual(2 * Math.max(1, magnitude));
    t.held('few sizes per magnitude; at most 12 % more bytes');
  },
);
