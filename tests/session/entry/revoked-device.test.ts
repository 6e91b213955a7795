import { beforeEach, describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { enterAs } from '../../../src/lib/session/entry/revoked-device.ts';
import type { DeviceRecord } from '../../../src/lib/store/database.ts';
import { createDevice } from '../../../src/lib/store/device-record.ts';

let device: DeviceRecord;
let tried: string[];

beforeEach(async () => {
  [device, tried] = [await createDevice(), []];
});

/** Lets in whom it is told to; the others were signed out for good. */
const door = (lets: (id: string) => boolean) => (own: DeviceRecord) => {
  tried.push(own.id);
  if (lets(own.id)) return Promise.resolve('in');
  return Promise.reject(new HalfkeyError('device_revoked', 'x'));
};

describe('a device', () => {
  it('enters with its own keys', async () => {
    expect(
      await enterAs(
        device,
        door(() => true),
      ),
    ).toEqual({ device, answer: 'in' });
  });

  it('that its owner has signed out for good enters with new ones', async () => {
    const entered = await enterAs(
      device,
      door((id) => id !== device.id),
    );
    expect(entered.answer).toBe('in');
    expect([entered.device.id, tried.length]).toEqual([tried[1], 2]);
    expect(entered.device.publicKey).not.toEqual(device.publicKey);
  });

  it('tries new keys once, and none for any other refusal', async () => {
    await expect(
      enterAs(
        device,
        door(() => false),
      ),
    ).rejects.toMatchObject({ code: 'device_revoked' });
    expect(tried).toHaveLength(2);
    tried = [];
    const wrong = (own: DeviceRecord) => {
      tried.push(own.id);
      return Promise.reject(new HalfkeyError('code_wrong', 'x'));
    };
    await expect(enterAs(device, wrong)).rejects.toMatchObject({ code: 'code_wrong' });
    expect(tried).toEqual([device.id]);
  });
});
