import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createLoginPace,
  LOGIN_INTERVAL_MS,
  LOGINS_AT_ONCE,
} from '../../../broker/domain/auth/login-pace.ts';
import { createRecordCodec } from '../../../broker/domain/state/record-codec.ts';
import { createRecords } from '../../../broker/domain/state/records.ts';
import { MemoryVaultCloud } from '../../support/memory-vault-cloud.ts';

let nowMs: number;
let count: ReturnType<typeof createLoginPace>;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  const records = createRecords(new MemoryVaultCloud().state, createRecordCodec(randomBytes(32)));
  count = createLoginPace(records, () => nowMs);
});
async function begin(times: number, name = 'ada', device?: string): Promise<void> {
  for (let time = 0; time < times; time++) await count(name, device);
}
const tooMany = (retryAfterSeconds: number) =>
  expect.objectContaining({ code: 'too_many_requests', retryAfterSeconds }) as Error;

describe('logins of one name', () => {
  it('are slowed down after a number at once, and told how long to wait', async () => {
    await begin(LOGINS_AT_ONCE);
    await expect(begin(1)).rejects.toThrow(tooMany(LOGIN_INTERVAL_MS / 1000));
    nowMs += 1_500;
    await expect(begin(1)).rejects.toThrow(tooMany(29));
  });

  it('go on by one in each interval, and those that were refused cost nothing', async () => {
    await begin(LOGINS_AT_ONCE);
    for (let time = 0; time < 10; time++) await expect(begin(1)).rejects.toThrow();
    nowMs += LOGIN_INTERVAL_MS;
    await begin(1);
    await expect(begin(1)).rejects.toThrow();
  });

  it('may be as many at once again after a while', async () => {
    await begin(LOGINS_AT_ONCE);
    nowMs += LOGINS_AT_ONCE * LOGIN_INTERVAL_MS;
    await begin(LOGINS_AT_ONCE);
    await expect(begin(1)).rejects.toThrow();
  });

  it('keep neither another name nor a known device of the same out', async () => {
    await begin(LOGINS_AT_ONCE);
    await begin(1, 'grace');
    await begin(1, 'ada', 'known');
    await expect(begin(1)).rejects.toThrow();
  });
});
