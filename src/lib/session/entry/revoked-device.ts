import { HalfkeyError } from '../../errors.ts';
import type { DeviceRecord } from '../../store/database.ts';
import { createDevice } from '../../store/device-record.ts';

/**
 * Enters an account with this device's keys; where its owner has signed it out for good, with new ones.
 * @param enter may be called twice: a code that came with `device_revoked` is good still
 */
export async function enterAs<Answer>(
  device: DeviceRecord,
  enter: (device: DeviceRecord) => Promise<Answer>,
): Promise<{ readonly device: DeviceRecord; readonly answer: Answer }> {
  try {
    return { device, answer: await enter(device) };
  } catch (error) {
    if (!(error instanceof HalfkeyError) || error.code !== 'device_revoked') throw error;
    const other = await createDevice();
    return { device: other, answer: await enter(other) };
  }
}
