import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { createOneTimeState, STATE_SECONDS } from '../../../broker/domain/auth/one-time-state.ts';
import { createRecordCodec } from '../../../broker/domain/state/record-codec.ts';
import { createRecords, type Records } from '../../../broker/domain/state/records.ts';
import { MemoryVaultCloud } from '../../support/memory-vault-cloud.ts';

const Content = v.strictObject({ n: v.number() });
const stateKey = randomBytes(32);
let records: Records;
let nowMs: number;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  records = createRecords(new MemoryVaultCloud().state, createRecordCodec(randomBytes(32)));
});
/** One of several brokers that share key and store. */
const broker = (key: Uint8Array = stateKey) => createOneTimeState(key, records, () => nowMs);
const expired = expect.objectContaining({ code: 'login_expired' }) as Error;

describe('state that a client carries between two messages', () => {
  it('opens at any broker, and says nothing to who carries it', async () => {
    const token = await broker().seal('login', { n: 7 });
    expect(Buffer.from(token.split('.').join(''), 'base64url').toString('latin1')).not.toContain('"n"');
    expect(await broker().open('login', Content, [token])).toEqual({ n: 7 });
  });

  it('opens once, whichever broker is asked, and at the same time, too', async () => {
    const token = await broker().seal('login', { n: 7 });
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => broker().open('login', Content, [token])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(broker().open('login', Content, [token])).rejects.toThrow(expired);
  });

  it('is good for a minute', async () => {
    const [one, two] = [await broker().seal('login', { n: 1 }), await broker().seal('login', { n: 2 })];
    nowMs += (STATE_SECONDS - 1) * 1000;
    expect(await broker().open('login', Content, [one])).toEqual({ n: 1 });
    nowMs += 1000;
    await expect(broker().open('login', Content, [two])).rejects.toThrow(expired);
  });

  it('of a login is none of a recovery, and of another key none at all', async () => {
    const token = await broker().seal('login', { n: 7 });
    await expect(broker().open('recovery', Content, [token])).rejects.toThrow(expired);
    await expect(broker(randomBytes(32)).open('login', Content, [token])).rejects.toThrow(expired);
    expect(await broker().open('login', Content, [token])).toEqual({ n: 7 });
  });

  it('is the first of several that is ours', async () => {
    const token = await broker().seal('login', { n: 7 });
    const other = await broker(randomBytes(32)).seal('login', { n: 8 });
    expect(await broker().open('login', Content, ['', 'x.y.z', other, token])).toEqual({ n: 7 });
    await expect(broker().open('login', Content, [])).rejects.toThrow(expired);
  });
});
