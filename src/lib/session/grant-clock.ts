import type { Grant } from '$contract/accounts.ts';
import { LIMITS } from '$contract/limits.ts';

/**
 * When a grant ends in this device's clock. The broker speaks in its own clock, and a device may be an hour off: a time
 * left that no grant can have is taken for such a difference, and the grant for one of full length, counted from when
 * it was asked for. Too short by a wrong clock locks early; too long is for the broker to refuse.
 *
 * @param sentAtMs when the request left, and `nowMs` when its answer came, both by this device's clock
 */
export function localExpiryMs({ expiresAtMs }: Grant, sentAtMs: number, nowMs: number): number {
  const fullMs = LIMITS.grantSeconds * 1000;
  const leftMs = expiresAtMs - nowMs;
  return leftMs > 0 && leftMs <= fullMs ? expiresAtMs : sentAtMs + fullMs;
}
