import { describe, expect, test } from 'vitest';
import { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { staleSinceMs } from '../../src/lib/drive/freshness.ts';

const DAY = 24 * 60 * 60_000;
const NOW = 1_800_000_000_000;
const bytes = new Uint8Array(32);

/** A vault of these devices, each last heard of so many days ago; `undefined`: never. */
function vaultOf(devices: Record<string, { daysAgo?: number; revoked?: boolean }>): FoldedVault {
  const state = new FoldedVault();
  for (const [device, { daysAgo, revoked }] of Object.entries(devices)) {
    state.devices.set(device, {
      device,
      publicKey: bytes,
      agreementKey: bytes,
      name: device,
      certificate: bytes,
      enrolledSeq: 0,
      ...(revoked && { revoked: { seq: 1, since: 1 } }),
    });
    if (daysAgo !== undefined)
      state.heartbeats.set(device, { seq: 0, hash: bytes, atMs: NOW - daysAgo * DAY });
  }
  return state;
}
describe('a view that may be an old one', () => {
  test.each<[string, Parameters<typeof vaultOf>[0], number | undefined]>([
    ['is none on the only device', { own: { daysAgo: 400 } }, undefined],
    ['is none a month after another was heard of', { own: {}, other: { daysAgo: 30 } }, undefined],
    ['is one a day later', { own: {}, other: { daysAgo: 31 } }, 31],
    ['goes by the one heard of last', { own: {}, a: { daysAgo: 90 }, b: { daysAgo: 40 } }, 40],
    [
      'is none while one of several is heard of',
      { own: {}, a: { daysAgo: 90 }, b: { daysAgo: 1 } },
      undefined,
    ],
    ['does not count devices that never spoke', { own: {}, other: {} }, undefined],
    ['does not count revoked ones', { own: {}, other: { daysAgo: 90, revoked: true } }, undefined],
    ['is none where the other clock runs ahead', { own: {}, other: { daysAgo: -365 } }, undefined],
  ])('%s', (_name, devices, daysAgo) => {
    const expected = daysAgo === undefined ? undefined : NOW - daysAgo * DAY;
    expect(staleSinceMs(vaultOf(devices), 'own', NOW)).toBe(expected);
  });
});
