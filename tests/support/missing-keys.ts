import type { MissingKeys } from '../../broker/local/s3/call.ts';

/**
 * How the local clouds of tests answer for a key that is not there, where a test does not say: as AWS documents it, or
 * leniently (`HALFKEY_MISSING_KEYS=lenient`), as `npm run test:full` runs all of them once more.
 */
export const MISSING_KEYS: MissingKeys =
  process.env['HALFKEY_MISSING_KEYS'] === 'lenient' ? 'lenient' : 'strict';
