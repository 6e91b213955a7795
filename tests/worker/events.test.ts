import { describe, expect, test } from 'vitest';
import type { AccountEvent } from '$contract/accounts.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { followEvents } from '../../src/lib/drive/events.ts';
import { refusalCode } from '../crypto/refusal.ts';

const PAGE = 3;

/** A log of so many events; hashes need only be told apart. */
function logOf(count: number, history = 'a'): AccountEvent[] {
  return Array.from({ length: count }, (_, seq) => ({
    seq,
    atMs: 1_000 + seq,
    kind: 'released' as const,
    prevHash: `${history}${String(seq - 1)}`,
    hash: `${history}${String(seq)}`,
  }));
}

/** A broker that answers from a log, a page at a time. */
function brokerWith(log: readonly AccountEvent[]): Broker {
  const last = log.at(-1);
  return {
    call(_route, request) {
      const from = Number((request as { from: string }).from);
      const events = log.slice(from, from + PAGE);
      return Promise.resolve({ events, ...(last && { head: { seq: last.seq, hash: last.hash } }) } as never);
    },
  };
}

describe('the broker’s event log', () => {
  test('is believed by a device that has seen nothing', async () => {
    expect(await followEvents(brokerWith([]), undefined)).toBeUndefined();
    expect(await followEvents(brokerWith(logOf(4)), undefined)).toEqual({ seq: 3, hash: 'a3' });
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 20])('is followed to its head over %i events', async (count) => {
    const head = { seq: count - 1, hash: `a${String(count - 1)}` };
    expect(await followEvents(brokerWith(logOf(count)), { seq: 0, hash: 'a0' })).toEqual(head);
    expect(await followEvents(brokerWith(logOf(count)), head)).toEqual(head);
  });

  test('is a rollback when it is shorter than it was', async () => {
    const seen = { seq: 5, hash: 'a5' };
    expect(await refusalCode(followEvents(brokerWith(logOf(5)), seen))).toBe('rollback');
    expect(await refusalCode(followEvents(brokerWith([]), seen))).toBe('rollback');
  });

  test('is a fork when it is another one', async () => {
    const seen = { seq: 5, hash: 'a5' };
    expect(await refusalCode(followEvents(brokerWith(logOf(9, 'b')), seen))).toBe('fork');
    const spliced = [...logOf(7), ...logOf(9, 'b').slice(7)];
    expect(await refusalCode(followEvents(brokerWith(spliced), seen))).toBe('fork');
    const gap = [...logOf(6), ...logOf(9).slice(7)];
    expect(await refusalCode(followEvents(brokerWith(gap), seen))).toBe('fork');
  });

  test('is not waited for when it holds back what it says there is', async () => {
    const log = logOf(6);
    const holding: Broker = {
      call: (_route, request) => {
        const from = Number((request as { from: string }).from);
        return Promise.resolve({ events: log.slice(from, 4), head: { seq: 5, hash: 'a5' } } as never);
      },
    };
    expect(await refusalCode(followEvents(holding, { seq: 1, hash: 'a1' }))).toBe('rollback');
  });
});
