import { describe, expect, it } from 'vitest';
import type { Grant } from '$contract/accounts.ts';
import { LIMITS } from '$contract/limits.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { vaultOf } from '../../src/lib/session/granted-vault.ts';
import { LiveGrant } from '../../src/lib/session/live-grant.ts';
import { refusalCode } from '../crypto/refusal.ts';

const openAccount = { localAccount: { account: {}, device: {} }, drive: {} } as Parameters<typeof vaultOf>[0];

/** A vault with a grant of so many releases, or without one. */
function vaultWith(releases?: number) {
  const grant = new LiveGrant(
    () => 0,
    () => undefined,
  );
  if (releases !== undefined) grant.hold({ id: 'g1', expiresAtMs: 1000, releases } as Grant, 0);
  const vault = vaultOf(openAccount, {} as Broker, grant);
  return { grant, vault };
}

describe('a vault', () => {
  it('is open as long as its grant is held', async () => {
    const { grant, vault } = vaultWith(5);
    expect(vault.requireGrant()).toBe('g1');
    grant.drop();
    expect(await refusalCode(Promise.resolve().then(() => vault.requireGrant()))).toBe('locked');
    grant.hold({ id: 'g2', expiresAtMs: 1000, releases: 1 } as Grant, 0);
    expect(vault.requireGrant()).toBe('g2');
  });

  it.each([
    ['what a code buys', 5, 5],
    ['no more than a request takes', LIMITS.batch + 1, LIMITS.batch],
    ['one at least, so that the broker says itself that there is none', 0, 1],
    ['what a request takes, where no code was typed yet', undefined, LIMITS.batch],
  ])('asks in one request for %s', (_case, releases, expected) => {
    expect(vaultWith(releases).vault.releasesPerCode()).toBe(expected);
  });
});
