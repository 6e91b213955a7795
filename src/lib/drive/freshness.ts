import type { FoldedVault } from '../journal/state/folded-vault.ts';

/** A device that is used says so each day. */
const STALE_MS = 30 * 24 * 60 * 60_000;

/**
 * When any other device of the owner's was heard of last, if that is more than thirty days ago. Then a broker that
 * withholds what they write and a desk drawer look alike, and only the owner knows which it is. A single device has
 * no other to hear from.
 *
 * @param own id of this device
 * @returns ms since 1970, by the other device's clock; undefined when there is nothing to tell
 */
export function staleSinceMs(state: FoldedVault, own: string, nowMs: number): number | undefined {
  let lastHeardMs: number | undefined;
  for (const { device } of state.devices.values()) {
    if (device === own || !state.trustedDevice(device)) continue;
    // One that was never heard of is enrolled, and no more than that is known: it may have been lent out once.
    const atMs = state.heartbeats.get(device)?.atMs;
    if (atMs !== undefined) lastHeardMs = Math.max(lastHeardMs ?? 0, atMs);
  }
  return lastHeardMs !== undefined && nowMs - lastHeardMs > STALE_MS ? lastHeardMs : undefined;
}
