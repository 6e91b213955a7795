import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createLoginPace,
  LOGIN_INTERVAL_MS,
  LOGINS_AT_ONCE,
} from '../../../broker/domain/auth/login-pace.ts';
import { createRecordCodec } from '../../../broker/domain/state/record-codec.ts';
import { createRecords, type Records } from '../../../broker/domain/state/records.ts';
import { stateKeys } from '../../../broker/domain/state/state-keys.ts';
import { MemoryVaultCloud } from '../../support/memory-vault-cloud.ts';

let nowMs: number;
let records: Records;
let count: ReturnType<typeof createLoginPace>;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  records = createRecords(new MemoryVaultCloud().state, createRecordCodec(randomBytes(32)));
  count = createLoginPace(records, randomBytes(32), () => nowMs);
});
const HERE = '192.0.2.1';

async function begin(
  times: number,
  { name = 'ada', device, network = HERE }: { name?: string; device?: string; network?: string } = {},
): Promise<void> {
  for (let time = 0; time < times; time++) await count(name, { network, knownDevice: device });
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
    await begin(1, { name: 'grace' });
    await begin(1, { device: 'known' });
    await expect(begin(1)).rejects.toThrow();
  });

  it('let each network have a turn of its own, and one more a minute later, whatever another does', async () => {
    await begin(LOGINS_AT_ONCE);
    const elsewhere = { network: '198.51.100.7' };
    await begin(1, elsewhere);
    await expect(begin(1, elsewhere)).rejects.toThrow(tooMany(LOGIN_INTERVAL_MS / 1000));
    for (let second = 0; second < 59; second += 1) {
      nowMs += 1_000;
      // The other one takes all that comes free for everybody.
      await begin(1).catch(() => undefined);
    }
    await expect(begin(1, elsewhere)).rejects.toThrow(tooMany(1));
    nowMs += 1_000;
    await begin(1, elsewhere);
  });

  it('of very many networks are counted in a record that does not grow', async () => {
    await begin(LOGINS_AT_ONCE);
    for (let index = 0; index < 300; index += 1) await begin(1, { network: `net-${String(index)}` });
    const stored = await records.read(
      stateKeys.loginPace('ada'),
      v.object({ networks: v.array(v.unknown()) }),
    );
    expect(stored?.content.networks).toHaveLength(200);
    expect(JSON.stringify(stored)).not.toContain('net-');
  });
});
