import { generateDeviceWrapKey } from '../crypto/device-wrap.ts';
import { randomId } from '../crypto/random.ts';
import { generateDeviceKeyPair } from '../crypto/signing.ts';
import { ONLY, writing, type Database, type DeviceRecord } from './database.ts';

/** New keys for this device; kept only once they are saved. */
export async function createDevice(): Promise<DeviceRecord> {
  const [{ publicKey, privateKey }, wrapKey] = await Promise.all([
    generateDeviceKeyPair(),
    generateDeviceWrapKey(),
  ]);
  return { id: randomId(), publicKey, privateKey, wrapKey };
}

/** @returns undefined on a device that has none */
export function readDevice(database: Database): Promise<DeviceRecord | undefined> {
  return database.get('device', ONLY);
}

/** @throws {HalfkeyError} `device_full` */
export async function saveDevice(database: Database, device: DeviceRecord): Promise<void> {
  await writing(() => database.put('device', device, ONLY));
}
