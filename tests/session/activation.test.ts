import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SignedIn } from '$contract/accounts.ts';
import type { OpenKeyring } from '../../src/lib/account/keyring.ts';
import { toB64Url } from '../../src/lib/bytes.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { activate, checkEntry, restore, type ActivationDeps } from '../../src/lib/session/activation.ts';
import { DeviceStore } from '../../src/lib/session/device-store.ts';
import type { Entry } from '../../src/lib/session/entry/entry.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { MemoryOpfs } from '../support/memory-opfs.ts';
import { TestLocks } from '../support/test-locks.ts';
import { openVaultWorld, type VaultWorld } from '../support/vault-world.ts';

let world: VaultWorld;
let deviceStore: DeviceStore;

beforeEach(async () => {
  vi.stubGlobal('navigator', {
    ...{ userAgent: 'Firefox/1 Linux', storage: new MemoryOpfs().storage },
    locks: new TestLocks().client().locks,
  });
  vi.stubGlobal('caches', { keys: () => Promise.resolve([]) });
  world = await openVaultWorld();
  deviceStore = new DeviceStore(() => undefined);
});
afterEach(async () => {
  await deviceStore.wipe();
  vi.unstubAllGlobals();
});

const deps = (): ActivationDeps => ({
  ...{ broker: world.broker, deviceStore, nowMs: () => world.nowMs, tell: () => undefined },
  grant: () => undefined,
});
/** Somebody who has signed in on this device, which is a new one. */
async function entry(more: { version?: number; vaults?: SignedIn['vaults'] } = {}): Promise<Entry> {
  const { session, vault, identity, open, journal } = world;
  const { version = 2 } = more;
  const head = { seq: journal.head.seq, hash: toB64Url(journal.head.hash) };
  const keyring = {
    ...{ account: session.account, accountKey: randomBytes(32), userName: 'ada', serverPublicKey: 'AAEC' },
    ...{ identity, version, hash: new Uint8Array(32).fill(version) },
    vaultKey: { vault, epoch: open.epoch, key: open.vaultKey },
  } as unknown as OpenKeyring;
  const device = await deviceStore.deviceFor(session.account);
  const vaults = more.vaults ?? ([{ vault, role: 'owner', head }] as SignedIn['vaults']);
  const signedIn = { account: session.account, keyring: { version, bytes: '' }, vaults };
  return { signedIn, keyring, device, sentAtMs: 0 };
}

describe('an account that is taken up on a device', () => {
  it('has joined the journal, and rests here with its keys', async () => {
    const one = await entry();
    const { journal, localAccount, changes } = await activate(one, deps());
    expect(journal.state.devices.get(one.device.id)?.name).toBe('Firefox on Linux');
    expect(changes.pendingCount).toBe(0);
    const rests = await deviceStore.localAccount();
    expect(rests).toMatchObject({ account: localAccount.account, device: { id: one.device.id } });
  });

  it('comes back from what rests here without the broker', async () => {
    const { journal } = await activate(await entry(), deps());
    await journal.flush();
    const rests = await deviceStore.localAccount();
    world.interfere = () => Promise.reject(new Error('nobody is asked'));
    const again = await restore(rests as Exclude<typeof rests, 'closed' | undefined>, deps());
    expect(again.journal.head).toEqual(journal.head);
  });

  it('without a vault is not believed', async () => {
    expect(await refusalCode(activate(await entry({ vaults: [] }), deps()))).toBe('vault_missing');
    expect(await deviceStore.localAccount()).toBeUndefined();
  });

  it('with an older keyring than this device has seen is not taken up, be it the one that the journal pins', async () => {
    const one = await entry();
    const { localAccount } = await activate(one, deps());
    const keyring = { version: 5, hash: randomBytes(32) };
    await deviceStore.keep({ ...localAccount, account: { ...localAccount.account, keyring } });
    expect(await refusalCode(activate(one, deps()))).toBe('rollback');
    expect(await deviceStore.owner()).toMatchObject({ keyring: { version: 5 } });
  });

  it('whose journal is not what the broker said at the sign-in is not taken up', async () => {
    const head = { seq: 0, hash: toB64Url(randomBytes(32)) };
    const vaults = [{ vault: world.vault, role: 'owner', head }] as SignedIn['vaults'];
    await expect(activate(await entry({ vaults }), deps())).rejects.toMatchObject({ family: 'corrupt' });
    expect(await deviceStore.localAccount()).toBeUndefined();
  });
});

describe('what the broker hands out', () => {
  it('is of the account and version of the keyring in it', async () => {
    const one = await entry();
    expect(() => {
      checkEntry(one);
    }).not.toThrow();
    for (const signedIn of [
      { ...one.signedIn, account: 'another' },
      { ...one.signedIn, keyring: { version: 3, bytes: '' } },
    ] as Entry['signedIn'][]) {
      expect(() => {
        checkEntry({ ...one, signedIn });
      }).toThrow(expect.objectContaining({ code: 'keyring_corrupt' }) as Error);
    }
  });
});
