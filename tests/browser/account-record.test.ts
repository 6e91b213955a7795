import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { seal } from '../../src/lib/crypto/floe.ts';
import { randomBytes, randomId } from '../../src/lib/crypto/random.ts';
import { newStretching } from '../../src/lib/crypto/stretching.ts';
import { generateDeviceKeyPair } from '../../src/lib/crypto/signing.ts';
import {
  readAccount,
  readOwner,
  saveAccount,
  type AccountRecord,
} from '../../src/lib/store/account-record.ts';
import { ONLY, openDatabase, type Database, type DeviceRecord } from '../../src/lib/store/database.ts';
import { createDevice, readDevice, saveDevice } from '../../src/lib/store/device-record.ts';
import { wipeDevice } from '../../src/lib/store/wipe.ts';
import { refusalCode } from '../crypto/refusal.ts';

const account: AccountRecord = {
  account: 'q0dDsGUj3VPvKXqZQVZ3Ag',
  vault: 'eu-central-1:1b7b2ae5-3f4d-4b6e-9a67-0c8d5d7e9f10',
  epoch: 3,
  accountKey: randomBytes(32),
  vaultKey: randomBytes(32),
  userName: 'ada',
  identityPublicKey: randomBytes(32),
  serverPublicKey: 'AAEC',
  keyring: { version: 2, hash: randomBytes(32) },
};
const lock = { stretching: newStretching(), key: randomBytes(32) };

let database: Database;
let device: DeviceRecord;

beforeEach(async () => {
  database = await openDatabase(() => undefined);
  device = await createDevice();
  await saveDevice(database, device);
});
afterEach(async () => {
  await wipeDevice(database);
});

/** The record as it is stored, each field of it changed in turn. */
async function eachDamage(run: (field: string) => Promise<void>): Promise<number> {
  const stored = (await database.get('account', ONLY)) as unknown as Record<string, unknown>;
  let count = 0;
  for (const path of pathsOf(stored)) {
    for (const value of othersThan(path.reduce<unknown>((at, key) => (at as never)[key], stored))) {
      await database.put('account', changed(stored, path, value) as never, ONLY);
      await run(`${path.join('.')} = ${String(value)}`);
      count++;
    }
  }
  await database.put('account', stored as never, ONLY);
  return count;
}

function pathsOf(value: object): string[][] {
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' && !(inner instanceof Uint8Array)
      ? [[key], ...pathsOf(inner as object).map((path) => [key, ...path])]
      : [[key]],
  );
}

function changed(record: Record<string, unknown>, [key = '', ...rest]: string[], value: unknown): object {
  const inner = rest.length > 0 ? changed(record[key] as Record<string, unknown>, rest, value) : value;
  const others = Object.entries(record).filter(([name]) => name !== key);
  return Object.fromEntries(inner === undefined ? others : [...others, [key, inner]]);
}

/** Gone, of another type, and of the same type but another value. */
function othersThan(value: unknown): unknown[] {
  if (typeof value === 'number') return [undefined, 'x', value + 1, -1, Number.NaN];
  if (typeof value === 'string') return [undefined, 7, `${value}0`, ''];
  if (!(value instanceof Uint8Array)) return [undefined, 7, {}];
  const flips = [0, Math.floor(value.length / 2), value.length - 1].map((place) => {
    const flipped = value.slice();
    flipped[place]! ^= 1;
    return flipped;
  });
  return [undefined, 'x', new Uint8Array(), value.slice(1), ...flips];
}

describe('a record that rests', () => {
  test('opens with the device’s keys alone, or with them and the start key', async () => {
    await saveAccount(database, device, account);
    expect(await readAccount(database, device)).toEqual(account);
    await saveAccount(database, device, account, lock);
    expect(await readAccount(database, device, lock.key)).toEqual(account);
    expect((await readOwner(database))?.stretching).toEqual(lock.stretching);
    await expect(readAccount(database, device)).rejects.toThrow(TypeError);
    await saveAccount(database, device, account);
    expect(await readAccount(database, device)).toEqual(account);
    expect(await readOwner(database)).not.toHaveProperty('stretching');
  });

  test('is told from one under another passphrase', async () => {
    await saveAccount(database, device, account, lock);
    expect(await refusalCode(readAccount(database, device, randomBytes(32)))).toBe('passphrase_wrong');
  });

  test('opens with nobody else’s keys', async () => {
    for (const each of [undefined, lock]) {
      await saveAccount(database, device, account, each);
      for (const other of [
        await createDevice(),
        { ...device, wrapKey: (await createDevice()).wrapKey },
        { ...device, id: randomId() },
        { ...device, publicKey: randomBytes(32) },
      ]) {
        expect(await refusalCode(readAccount(database, other, each?.key))).toBe('device_state_lost');
      }
    }
  });

  test.each([
    ['open', undefined],
    ['closed', lock],
  ])('does not open with any field of it changed or gone: %s', async (_name, each) => {
    await saveAccount(database, device, account, each);
    const count = await eachDamage(async (field) => {
      // What can still be asked does not fail in any other way either.
      const owner = await readOwner(database).catch((error: unknown) => error);
      expect(owner, field).toBeDefined();
      expect(await refusalCode(readAccount(database, device, each?.key)), field).toBe('device_state_lost');
    });
    expect(count).toBeGreaterThan(30);
    expect(await readAccount(database, device, each?.key)).toEqual(account);
  });

  test('cannot be passed off as one that asks for no passphrase, nor the other way round', async () => {
    await saveAccount(database, device, account, lock);
    const closed = (await database.get('account', ONLY))!;
    const { stretching, ...bare } = closed;
    await database.put('account', bare, ONLY);
    expect(await refusalCode(readAccount(database, device))).toBe('device_state_lost');
    await saveAccount(database, device, account);
    const open = (await database.get('account', ONLY))!;
    await database.put('account', { ...open, stretching: stretching! }, ONLY);
    expect(await refusalCode(readAccount(database, device, lock.key))).toBe('device_state_lost');
  });
});

describe('a record of version 1', () => {
  async function putEarlier(): Promise<void> {
    const { accountKey, vaultKey, ...rest } = account;
    const accountAad = sealAad('device-wrap', rest.account, 'account-key', 0);
    const vaultAad = sealAad('device-wrap', rest.vault, 'vault-key', rest.epoch);
    const record = {
      ...rest,
      sealedAccountKey: await seal(device.wrapKey, accountAad, accountKey),
      sealedVaultKey: await seal(device.wrapKey, vaultAad, vaultKey),
    };
    await database.put('account', record as never, ONLY);
  }

  test('opens, and its user name is not known', async () => {
    await putEarlier();
    expect(await readAccount(database, device)).toEqual({ ...account, userName: '' });
    expect(await readOwner(database)).toMatchObject({ account: account.account, serverPublicKey: 'AAEC' });
  });

  test('does not open with its keys changed', async () => {
    await putEarlier();
    const stored = (await database.get('account', ONLY)) as unknown as Record<string, unknown>;
    for (const key of ['account', 'vault', 'epoch', 'sealedAccountKey', 'sealedVaultKey']) {
      for (const value of othersThan(stored[key])) {
        await database.put('account', changed(stored, [key], value) as never, ONLY);
        expect(await refusalCode(readAccount(database, device)), key).toBe('device_state_lost');
      }
    }
  });
});

describe('a device’s keys', () => {
  test('that are not as they were written are refused', async () => {
    const stranger = await createDevice();
    const open = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
    const { publicKey } = await generateDeviceKeyPair();
    for (const change of [
      { id: 'short' },
      { id: 7 },
      { publicKey },
      { publicKey: device.publicKey.slice(1) },
      { publicKey: 'x' },
      { privateKey: stranger.privateKey },
      { privateKey: open.privateKey },
      { privateKey: open.publicKey },
      { privateKey: device.wrapKey },
      { privateKey: undefined },
      { wrapKey: aes },
      { wrapKey: device.privateKey },
      { wrapKey: randomBytes(32) },
      { wrapKey: undefined },
    ]) {
      await database.put('device', { ...device, ...change } as never, ONLY);
      const what = `${Object.keys(change).join()} changed`;
      expect(await refusalCode(readDevice(database)), what).toBe('device_state_lost');
    }
    await saveDevice(database, device);
    expect((await readDevice(database))?.id).toBe(device.id);
  });
});
