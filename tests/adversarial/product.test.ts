import { describe, expect, test } from 'vitest';
import { outcomeByProduct } from './by-product.ts';
import { KIT } from './files.ts';
import { KINDS } from './kit.ts';

/** Who fetches ranges asks for as many bytes as the journal says, and sees no more. */
const NOT_SEEN_BY_RANGES = new Set(['contents overlong']);

describe.each(KINDS)('%s: the product finds', (kind) => {
  test('what each vector says', async () => {
    const kit = KIT[kind];
    const found: unknown[] = [];
    const expected: unknown[] = [];
    for (const vector of kit.vectors) {
      if (NOT_SEEN_BY_RANGES.has(`${kind} ${vector.name}`)) continue;
      found.push([vector.name, await outcomeByProduct(kind, kit, vector)]);
      expected.push([vector.name, vector.expect]);
    }
    expect(found).toEqual(expected);
  });
});
