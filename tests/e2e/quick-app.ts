import { join } from 'node:path';
import { isLongForm } from '../support/long-form.ts';
import { productOf } from '../support/products.ts';

/**
 * Builds, once for all workers, the app that stretches passphrases by next to nothing: a sign-up of the real one keeps
 * both cores busy for four seconds. Specs that are about passphrases or about all that a user meets run the real one,
 * and in the long form all do.
 */
export default async function setUpQuickApp(): Promise<void> {
  if (!isLongForm) process.env['QUICK_APP'] = await productOf('quick-app');
}

/** The folder of the app for a spec that is not about passphrases: `build` and `dist` are in it. */
export function quickApp(): string {
  return process.env['QUICK_APP'] ?? join(import.meta.dirname, '../..');
}

/** Its programs, for `startStack`. */
export function quickDist(): string {
  return join(quickApp(), 'dist');
}
