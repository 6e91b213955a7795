import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../src/lib/bytes.ts';
import { generateDeviceKeyPair, sign, verify } from '../../src/lib/crypto/signing.ts';
import { ONLY, openDatabase, type Database, type DeviceRecord } from '../../src/lib/store/database.ts';
import { createDevice, readDevice, saveDevice } from '../../src/lib/store/device-record.ts';
import { refusalCode } from '../crypto/refusal.ts';

let database: Database;
let device: DeviceRecord;

beforeEach(async () => {
  database = await openDatabase(() => undefined);
  device = await createDevice();
  await saveDevice(database, device);
});
afterEach(() => {
  database.close();
});

describe('the keys of a device', () => {
  it('are new ones for each, with ids of their own', async () => {
    const other = await createDevice();
    expect(other.id).not.toBe(device.id);
    expect(other.publicKey).not.toEqual(device.publicKey);
  });

  it('sign after they have rested as before, and are given to nobody', async () => {
    const found = await readDevice(database);
    const message = utf8('after a restart');
    expect(await verify(device.publicKey, message, await sign(found!.privateKey, message))).toBe(true);
    expect([found?.id, found?.privateKey.extractable, found?.wrapKey.extractable]).toEqual([
      ...[device.id, false, false],
    ]);
  });

  it('are found again where the browser cannot read an X25519 key back', async () => {
    vi.stubGlobal('structuredClone', () => {
      throw new TypeError('Unable to deserialize data.');
    });
    const created = await createDevice();
    vi.unstubAllGlobals();
    await saveDevice(database, created);
    expect(created.agreementPrivateKey).not.toBeInstanceOf(CryptoKey);
    expect(await readDevice(database)).toEqual(created);
  });

  it('are none on a device that nobody has signed in on', async () => {
    await database.clear('device');
    expect(await readDevice(database)).toBeUndefined();
  });

  it.each<[string, () => Promise<Partial<Record<keyof DeviceRecord, unknown>>>]>([
    ['with another id than such a one', () => Promise.resolve({ id: 'short' })],
    ['with a public key of another length', () => Promise.resolve({ publicKey: new Uint8Array(31) })],
    ['with the public key of another pair', async () => ({ publicKey: (await createDevice()).publicKey })],
    ['with the private key of another pair', async () => ({ privateKey: (await createDevice()).privateKey })],
    ['with no private key', () => Promise.resolve({ privateKey: {} })],
    [
      'with a wrap key of another kind',
      async () => ({ wrapKey: (await generateDeviceKeyPair()).privateKey }),
    ],
    ['with a wrap key that can be taken out', async () => ({ wrapKey: await extractable() })],
    ['with another agreement key', async () => ({ agreementPrivateKey: (await createDevice()).privateKey })],
    ['with a wrapped key that does not open', async () => ({ agreementPrivateKey: await damagedWrapped() })],
  ])('%s are refused', async (_case, change) => {
    await database.put('device', { ...device, ...(await change()) } as DeviceRecord, ONLY);
    expect(await refusalCode(readDevice(database))).toBe('device_state_lost');
  });
});

async function damagedWrapped(): Promise<DeviceRecord['agreementPrivateKey']> {
  const wrappingKey = await crypto.subtle.generateKey({ name: 'AES-KW', length: 256 }, false, ['unwrapKey']);
  return { wrapped: new Uint8Array(56), wrappingKey };
}

function extractable(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
}
