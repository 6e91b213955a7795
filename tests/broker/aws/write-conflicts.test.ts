import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { throughConflicts } from '../../../broker/aws/write-conflicts.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: vi.fn(() => Promise.resolve()) }));

const answered = (status: number) =>
  Object.assign(new Error('S3'), { $metadata: { httpStatusCode: status } });
let tries: number;

beforeEach(() => {
  tries = 0;
});
afterEach(() => {
  vi.clearAllMocks();
});
/** A write that meets another one so many times. */
const write = (conflicts: number, status = 409) =>
  throughConflicts(() => {
    tries += 1;
    return tries > conflicts ? Promise.resolve('written') : Promise.reject(answered(status));
  });

describe('a conditional write', () => {
  it.each([0, 1, 7])(
    'that meets another one %i times is sent again until that has ended',
    async (conflicts) => {
      expect(await write(conflicts)).toBe('written');
      expect(tries).toBe(conflicts + 1);
    },
  );

  it('is given up after eight tries, to be tried again later', async () => {
    await expect(write(8)).rejects.toMatchObject({ code: 'store_unreachable', retryAfterSeconds: 1 });
    expect(tries).toBe(8);
  });

  it('is sent again after pauses that may grow twice as long each time, to 2.6 s', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    await write(7);
    random.mockRestore();
    expect(vi.mocked(delay).mock.calls).toEqual([[40], [80], [160], [320], [640], [1280], [2560]]);
  });

  it.each([412, 403, 500])('that fails otherwise is not sent again: %i', async (status) => {
    await expect(write(1, status)).rejects.toMatchObject({ $metadata: { httpStatusCode: status } });
    expect(tries).toBe(1);
  });
});
