import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GrantId } from '$contract/ids.ts';
import { localExpiryMs } from '../../src/lib/session/grant-clock.ts';
import { LiveGrant } from '../../src/lib/session/live-grant.ts';

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;
const id = 'AAAAAAAAAAAAAAAAAAAAAA' as GrantId;
const grant = (expiresAtMs: number) => ({ id, expiresAtMs, releases: 1000 });

describe('the end of a grant in this device’s clock', () => {
  test.each([
    ['clocks agree', 5 * MINUTE - 80, NOW + 5 * MINUTE - 80],
    ['the operator gives one minute', MINUTE, NOW + MINUTE],
    ['exactly full length is left', 5 * MINUTE, NOW + 5 * MINUTE],
    ['this device is two minutes ahead', 3 * MINUTE, NOW + 3 * MINUTE],
    ['this device is a second behind', 5 * MINUTE + 1_000, NOW - 100 + 5 * MINUTE],
    ['this device is an hour behind', 65 * MINUTE, NOW - 100 + 5 * MINUTE],
    ['this device is an hour ahead', -55 * MINUTE, NOW - 100 + 5 * MINUTE],
    ['this device is five minutes ahead', 0, NOW - 100 + 5 * MINUTE],
  ])('is never more than five minutes from the request: %s', (_name, leftMs, expected) => {
    expect(localExpiryMs(grant(NOW + leftMs), NOW - 100, NOW)).toBe(expected);
  });
});
describe('a live grant', () => {
  let ended: GrantId[];
  let live: LiveGrant;

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
    ended = [];
    live = new LiveGrant(Date.now, (grantId) => ended.push(grantId));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is not there before a code bought it', () => {
    expect(() => live.require()).toThrow('no grant is live');
  });

  test('opens until its end, to the millisecond, and then says so once', () => {
    live.hold(grant(NOW + 2 * MINUTE), NOW);
    expect(live.require()).toBe(id);
    vi.advanceTimersByTime(2 * MINUTE - 1);
    expect(live.require()).toBe(id);
    vi.advanceTimersByTime(1);
    expect(ended).toEqual([id]);
    expect(() => live.require()).toThrow('no grant is live');
    vi.advanceTimersByTime(10 * MINUTE);
    expect(ended).toEqual([id]);
  });

  test('ends after five minutes without input, however long it would last', () => {
    live.hold(grant(NOW + 5 * MINUTE), NOW);
    vi.advanceTimersByTime(5 * MINUTE);
    expect(ended).toEqual([id]);
  });

  test('is over after sleep, before any timer has run', () => {
    live.hold(grant(NOW + 2 * MINUTE), NOW);
    vi.setSystemTime(NOW + 60 * MINUTE);
    expect(() => live.require()).toThrow('no grant is live');
    expect(ended).toEqual([id]);
  });

  test('that ended while the computer slept ends at once when it wakes, whatever the timer thinks, and input does not bring it back', () => {
    live.hold(grant(NOW + 5 * MINUTE), NOW);
    vi.setSystemTime(NOW + 60 * MINUTE);
    vi.advanceTimersByTime(1000);
    expect(ended).toEqual([id]);
    live.hold(grant(NOW + 65 * MINUTE), NOW + 60 * MINUTE);
    vi.setSystemTime(NOW + 120 * MINUTE);
    live.active();
    expect([ended, live.current]).toEqual([[id, id], undefined]);
  });

  test('is gone at once when it is dropped, without a report of its own', () => {
    live.hold(grant(NOW + 2 * MINUTE), NOW);
    expect(live.drop()).toBe(id);
    expect(live.drop()).toBeUndefined();
    expect(live.current).toBeUndefined();
    vi.advanceTimersByTime(10 * MINUTE);
    expect(ended).toEqual([]);
  });

  test.each([
    ['an hour back', -60 * MINUTE],
    ['a second before it was bought', -1_000 - MINUTE],
    ['a day on', 24 * 60 * MINUTE],
  ])('is over when the clock is set %s meanwhile', (_name, byMs) => {
    live.hold(grant(NOW + 5 * MINUTE), NOW);
    vi.advanceTimersByTime(MINUTE);
    vi.setSystemTime(NOW + MINUTE + byMs);
    expect(() => live.require()).toThrow('no grant is live');
    expect(ended).toEqual([id]);
  });

  test('makes as many halves as one code may, and the next one as many again', () => {
    live.hold(grant(NOW + MINUTE), NOW);
    live.making(9_999);
    expect(live.current?.halvesLeft).toBe(1);
    live.making(2);
    expect(live.current?.halvesLeft).toBe(0);
    live.hold(grant(NOW + MINUTE), NOW);
    expect(live.current?.halvesLeft).toBe(10_000);
  });

  test('gives way to the next one, whose end counts then', () => {
    live.hold(grant(NOW + MINUTE), NOW);
    live.hold(grant(NOW + 3 * MINUTE), NOW);
    vi.advanceTimersByTime(2 * MINUTE);
    expect(live.current?.expiresAtMs).toBe(NOW + 3 * MINUTE);
    expect(ended).toEqual([]);
  });
});
