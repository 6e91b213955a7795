import type { FoldedVault, PublishedInboxKey } from './folded-vault.ts';
import type { Operation } from '../entries/operations.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The inbox epoch below which no device that is enrolled now needs a key any more, by what each has said last; one that
 * has said nothing may need them all.
 */
export function unneededBelow(state: FoldedVault): number {
  let epoch = state.newestInboxKey?.epoch ?? 0;
  for (const id of state.devices.keys()) {
    if (!state.trustedDevice(id)) continue;
    epoch = Math.min(epoch, state.heartbeats.get(id)?.inboxEpoch ?? 0);
  }
  return epoch;
}

/**
 * What a device says in its heartbeat: the epoch of the oldest inbox key that it needs. It is a promise that nothing
 * this device has left is sealed to a key below, and that it never seals to one again.
 *
 * @param sealedTo epochs of all its drafts, and of its records that are not in the inbox yet; what is just being sealed
 *   counts
 */
export function inboxEpochNeeded(state: FoldedVault, sealedTo: Iterable<number>): number {
  return Math.min(state.newestInboxKey?.epoch ?? 0, ...sealedTo);
}

/**
 * Retires the inbox keys that nothing needs any more (docs/FORMAT.md §13.4); their blobs are `unpurged` then.
 * @param unneeded as `unneededBelow` said before the inbox was listed to its end: what a device has given up by then is
 *   in the list, or adopted
 * @param left epochs of what stays in the inbox
 */
export function operationsToRetire(
  state: FoldedVault,
  unneeded: number,
  left: Iterable<number>,
): Operation[] {
  const epoch = Math.min(unneeded, ...left);
  return epoch > state.oldestInboxEpoch ? [{ kind: 'inbox-retire', epoch }] : [];
}

/** Whether the identity key brought an inbox key: then anyone who made it had passphrase or kit, and a code. */
export function isOfIdentity({ writer }: PublishedInboxKey): boolean {
  return writer === undefined;
}

/**
 * Whether an adopting device should publish a new inbox key: the newest that it may seal to is a day old, or of an
 * unknown age. A key whose time lies more than a day ahead of this clock was made by a wrong one, and does not keep the
 * next away.
 */
export function isInboxKeyDue(newest: PublishedInboxKey | undefined, nowMs: number): boolean {
  const atMs = newest?.atMs;
  return atMs === undefined || Math.abs(nowMs - atMs) >= DAY_MS;
}
