import { expect, test } from 'vitest';
import { outcomeByProduct } from './by-product.ts';
import { KIT } from './files.ts';

// In every run also in Chromium: what is a signature must not depend on who verifies it.
test.each(KIT.signatures.vectors)('whether it is a signature: $name', async (vector) => {
  expect(await outcomeByProduct('signatures', KIT.signatures, vector)).toEqual(vector.expect);
});
