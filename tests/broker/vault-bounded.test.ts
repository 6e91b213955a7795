import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapBounded } from '../../broker/domain/bounded.ts';
import { readInOrder } from '../../broker/domain/vault/read-in-order.ts';

describe('mapping several at a time', () => {
  it.each([0, 1, 2, 3, 4, 9])('yields %i results in the order of the items', async (count) => {
    const items = Array.from({ length: count }, (_none, index) => index);
    const results = await mapBounded(items, 3, async (item, index) => {
      // The later, the sooner it ends.
      for (let turns = count - index; turns > 0; turns -= 1) await turn();
      return item * 2;
    });
    expect(results).toEqual(items.map((item) => item * 2));
  });

  it('begins nothing new after a failure, throws the first, and waits for what was under way', async () => {
    const begun: number[] = [];
    let ended = 0;
    const mapping = mapBounded([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      await turn();
      if (item === 0) throw new Error('item 0');
      await turn();
      await turn();
      ended += 1;
    });
    await expect(mapping).rejects.toThrow('item 0');
    expect(begun).toEqual([0, 1]);
    expect(ended).toBe(1);
  });
});

describe('reading in order within a number of bytes', () => {
  it('yields the longest start that fits among what was read, and the first in any case', async () => {
    const run = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 2_000_000 }),
      async (sizes, maxBytes) => {
        const read: number[] = [];
        const items = await readInOrder(sizes.length, maxBytes, async (index) => {
          read.push(index);
          if (index % 3 === 0) await turn();
          return new Uint8Array(sizes[index] ?? 0);
        });
        // The first comes however large it is; with any behind it, all of them fit.
        const total = items.length > 1 ? items.reduce((sum, item) => sum + item.length, 0) : 0;
        expect(items.map((item) => item.length)).toEqual(sizes.slice(0, items.length));
        expect(items.length).toBeGreaterThanOrEqual(Math.min(1, sizes.length));
        expect(total).toBeLessThanOrEqual(maxBytes);
        expect(read).toEqual(read.map((_none, index) => index));
      },
    );
    await fc.assert(run, { seed: 20262, numRuns: 200 });
  });

  it('throws what a read threw', async () => {
    const reading = readInOrder(5, 1e6, (index) =>
      index === 3 ? Promise.reject(new Error('index 3')) : Promise.resolve(new Uint8Array(1)),
    );
    await expect(reading).rejects.toThrow('index 3');
  });
});
