import { describe, expect, test } from 'vitest';
import { type AccountEvent, eventFields } from '$contract/accounts.ts';
import type { AccountId } from '$contract/ids.ts';
import { lengthPrefixed, toB64Url } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { followEvents } from '../../src/lib/drive/events.ts';
import { refusalCode } from '../crypto/refusal.ts';

const PAGE = 3;
const ACCOUNT = 'A'.repeat(22) as AccountId;
const NOTHING_BEFORE = 'A'.repeat(43);

/** A log of so many events, chained as the broker chains them. */
async function logOf(count: number, kind = 'released'): Promise<AccountEvent[]> {
  const log: AccountEvent[] = [];
  for (let seq = 0; seq < count; seq += 1) {
    const event = { seq, atMs: 1_000 + seq, kind, prevHash: log.at(-1)?.hash ?? NOTHING_BEFORE };
    log.push({ ...event, hash: toB64Url(await sha256(lengthPrefixed(...eventFields(ACCOUNT, event)))) });
  }
  return log;
}
const headAt = ({ seq, hash }: AccountEvent) => ({ seq, hash });

/** A broker that answers from a log, a page at a time. */
function brokerWith(log: readonly AccountEvent[], pageLength = (_from: number) => PAGE): Broker {
  const last = log.at(-1);
  return {
    call(_route, request) {
      const from = Number((request as { from: string }).from);
      const events = log.slice(from, from + pageLength(from));
      return Promise.resolve({ events, ...(last && { head: headAt(last) }) } as never);
    },
  };
}
const follow = (log: readonly AccountEvent[], seen: AccountEvent | undefined) =>
  followEvents(brokerWith(log), ACCOUNT, seen && headAt(seen));

describe('the broker’s event log', () => {
  test('is believed by a device that has seen nothing', async () => {
    const log = await logOf(4);
    expect(await follow([], undefined)).toBeUndefined();
    expect(await follow(log, undefined)).toEqual(headAt(log[3]!));
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 20])('is followed to its head over %i events', async (count) => {
    const log = await logOf(count);
    const head = headAt(log.at(-1)!);
    expect(await follow(log, log[0])).toEqual(head);
    expect(await follow(log, log.at(-1))).toEqual(head);
  });

  test('is followed where pages are of different lengths', async () => {
    const log = await logOf(40);
    const uneven = brokerWith(log, (from) => (from === 0 ? 5 : 2 + (from % 3)));
    expect(await followEvents(uneven, ACCOUNT, headAt(log[0]!))).toEqual(headAt(log[39]!));
  });

  test('is a rollback when it is shorter than it was', async () => {
    const log = await logOf(6);
    expect(await refusalCode(follow(log.slice(0, 5), log[5]))).toBe('rollback');
    expect(await refusalCode(follow([], log[5]))).toBe('rollback');
  });

  test('is a fork when it is another one', async () => {
    const [log, other] = [await logOf(9), await logOf(9, 'granted')];
    expect(await refusalCode(follow(other, log[5]))).toBe('fork');
    expect(await refusalCode(follow([...log.slice(0, 7), ...other.slice(7)], log[5]))).toBe('fork');
    expect(await refusalCode(follow([...log.slice(0, 6), ...log.slice(7)], log[5]))).toBe('fork');
  });

  test.each<[string, Partial<AccountEvent>]>([
    ['its time', { atMs: 1 }],
    ['its kind', { kind: 'granted' }],
    ['a device', { device: 'B'.repeat(22) as never }],
    ['blobs', { blobs: ['B'.repeat(22) as never] }],
  ])('is a fork when an event says otherwise by %s, whatever hash is told with it', async (_case, change) => {
    const log = await logOf(6);
    const altered = log.map((event) => (event.seq === 3 ? { ...event, ...change } : event));
    expect(await refusalCode(follow(altered, log[1]))).toBe('fork');
  });

  test('is not waited for when it holds back what it says there is', async () => {
    const log = await logOf(6);
    const holding: Broker = {
      call: (_route, request) => {
        const from = Number((request as { from: string }).from);
        return Promise.resolve({ events: log.slice(from, 4), head: headAt(log[5]!) } as never);
      },
    };
    expect(await refusalCode(followEvents(holding, ACCOUNT, headAt(log[1]!)))).toBe('rollback');
  });
});
