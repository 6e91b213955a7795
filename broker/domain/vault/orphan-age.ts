import { LIMITS } from '../../contract/limits.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Long enough for whatever has begun with a blob to end, and for the clocks of S3 and brokers. */
const MARGIN_MS = DAY_MS;

/**
 * Whether nothing that was written then, and that nothing names, is needed any more.
 * @param modifiedMs by S3's clock
 */
export const isSwept = (modifiedMs: number, nowMs: number): boolean =>
  modifiedMs + LIMITS.orphanDays * DAY_MS < nowMs;

/**
 * Whether a blob that nothing names yet is too old to be given a name: the sweep, which has perhaps just seen that it
 * has none, must not take away what a file was made of meanwhile.
 */
export const isNearlySwept = (modifiedMs: number, nowMs: number): boolean =>
  isSwept(modifiedMs, nowMs + MARGIN_MS);
