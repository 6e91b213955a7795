import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newStretching } from '../../src/lib/crypto/stretching.ts';
import { randomBytes, randomId } from '../../src/lib/crypto/random.ts';
import { DeviceStore, type LocalAccount } from '../../src/lib/session/device-store.ts';
import type { AccountRecord, StartLock } from '../../src/lib/store/account-record.ts';
import { readAttempts, saveAttempts } from '../../src/lib/store/attempts.ts';
import { ONLY } from '../../src/lib/store/database.ts';
import { createDevice } from '../../src/lib/store/device-record.ts';
import { MemoryOpfs } from '../support/memory-opfs.ts';
import { refusalCode } from '../crypto/refusal.ts';

// Argon2id takes its time by design; what it makes is tested in tests/crypto/stretching.test.ts.
vi.mock('../../src/lib/account/start-key.ts', () => {
  const startKey = (passphrase: string) => Promise.resolve(new Uint8Array(32).fill(passphrase.length));
  return {
    startKey,
    newStartLock: async (passphrase: string) => ({
      stretching: newStretching(),
      key: await startKey(passphrase),
    }),
  };
});

let store: DeviceStore;
let taken: number;

beforeEach(() => {
  taken = 0;
  vi.stubGlobal('navigator', { storage: new MemoryOpfs().storage });
  vi.stubGlobal('caches', { keys: () => Promise.resolve([]) });
  store = new DeviceStore(() => (taken += 1));
});
afterEach(async () => {
  await store.wipe();
  vi.unstubAllGlobals();
});

const record = (): AccountRecord => ({
  ...{ account: randomId(), vault: 'eu-central-1:1b7b2ae5-3f4d-4b6e-9a67-0c8d5d7e9f10', epoch: 1 },
  ...{ accountKey: randomBytes(32), vaultKey: randomBytes(32), userName: 'ada' },
  ...{ identityPublicKey: randomBytes(32), serverPublicKey: 'AAEC' },
  keyring: { version: 3, hash: randomBytes(32) },
});
/** Somebody who comes home on this device. */
async function comeHome(lock?: StartLock): Promise<LocalAccount> {
  const account = record();
  const device = await store.deviceFor(account.account);
  await store.prepare(account.account, device);
  await store.keep({ device, account }, lock);
  return { device, account };
}
const lock = (): StartLock => ({ stretching: newStretching(), key: randomBytes(32) });

describe('a device', () => {
  it('is nobody’s before somebody comes home', async () => {
    expect(await store.localAccount()).toBeUndefined();
    expect(await store.owner()).toBeUndefined();
    expect(await store.serverPublicKey()).toBeUndefined();
    expect(await refusalCode(store.openWith('x'))).toBe('session_missing');
  });

  it('knows who is at home after a restart', async () => {
    const { account, device } = await comeHome();
    const later = new DeviceStore(() => undefined);
    const found = await later.localAccount();
    expect(found).toMatchObject({ account, device: { id: device.id } });
    expect(await later.serverPublicKey()).toBe('AAEC');
    (await later.database()).close();
  });

  it('is closed where the passphrase is asked for, and says so without any key', async () => {
    const { account } = await comeHome(lock());
    expect(await store.localAccount()).toBe('closed');
    expect(await store.owner()).toMatchObject({ account: account.account, keyring: { version: 3 } });
  });

  it('that is closed opens with the passphrase, and with no other', async () => {
    const { account } = await comeHome({ stretching: newStretching(), key: new Uint8Array(32).fill(5) });
    expect(await refusalCode(store.openWith('wrong-one'))).toBe('passphrase_wrong');
    expect((await store.openWith('zebra')).account).toEqual(account);
  });

  it('has forgotten wrong passphrases once somebody has come home', async () => {
    await saveAttempts(await store.database(), { wrong: 7, lastMs: 1 });
    await comeHome();
    expect(await readAttempts(await store.database())).toBeUndefined();
  });

  it('asks for no passphrase any more once it is kept without a lock', async () => {
    const home = await comeHome(lock());
    await store.keep(home);
    expect(await store.localAccount()).toMatchObject({ account: home.account });
  });
});

describe('the keys of a device', () => {
  it('are the same for its account, and others for another one', async () => {
    const { account, device } = await comeHome();
    expect((await store.deviceFor(account.account)).id).toBe(device.id);
    expect((await store.deviceFor(randomId())).id).not.toBe(device.id);
  });

  it('are new ones where the old ones are damaged', async () => {
    const { account, device } = await comeHome();
    await (await store.database()).put('device', { ...device, publicKey: randomBytes(32) }, ONLY);
    expect((await store.deviceFor(account.account)).id).not.toBe(device.id);
  });

  it('that are gone are told of, because what rests here opens with nothing else', async () => {
    await comeHome();
    await (await store.database()).clear('device');
    expect(await refusalCode(store.localAccount())).toBe('device_state_lost');
  });
});

describe('what rests here', () => {
  const journal = randomBytes(10);

  it('goes when another account comes home, and stays when the same one does', async () => {
    const { account, device } = await comeHome();
    await (await store.database()).put('journal', journal, ONLY);
    await store.prepare(account.account, device);
    expect(await (await store.database()).get('journal', ONLY)).toEqual(journal);
    const other = await createDevice();
    await store.prepare(randomId(), other);
    expect(await (await store.database()).get('journal', ONLY)).toBeUndefined();
    expect((await (await store.database()).get('device', ONLY))?.id).toBe(other.id);
  });

  it('of a journal goes where nobody can say whose it is, and what was captured stays', async () => {
    const { account, device } = await comeHome();
    const database = await store.database();
    await database.put('account', { account: 7 } as never, ONLY);
    await database.put('journal', journal, ONLY);
    await database.put('uploads', { blob: 'b' } as never, 'b');
    await store.prepare(account.account, device);
    expect(await database.get('journal', ONLY)).toBeUndefined();
    expect(await database.get('uploads', 'b')).toEqual({ blob: 'b' });
  });

  it('opens with another lock only where it was closed before, for the same account', async () => {
    expect(await store.lockFor(randomId(), 'x')).toBeUndefined();
    await comeHome();
    const { account } = await comeHome();
    expect(await store.lockFor(account.account, 'x')).toBeUndefined();
    const closed = await comeHome(lock());
    expect(await store.lockFor(randomId(), 'x')).toBeUndefined();
    expect((await store.lockFor(closed.account.account, 'x'))?.key).toHaveLength(32);
  });
});

it('hears when another tab wipes the device, and can be come home to again', async () => {
  await comeHome();
  await new DeviceStore(() => undefined).wipe();
  expect(taken).toBe(1);
  expect(await store.localAccount()).toBeUndefined();
  await comeHome();
  expect(await store.owner()).toBeDefined();
});
