import { inject } from 'vitest';
import type { ProductName } from './products.ts';

/**
 * A product of the tree under test, which is built when the first test file asks for it.
 * @returns its folder, shared by all: anyone who changes something in it takes a copy
 * @throws Error with what the build wrote, when it fails
 */
export async function built(name: ProductName): Promise<string> {
  const response = await fetch(`${inject('workshop')}/${name}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`cannot build ${name}: ${text}`);
  return text;
}
