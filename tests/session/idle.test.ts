import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TransferReport } from '../../src/lib/protocol/transfer.ts';
import { Idle } from '../../src/lib/session/idle.ts';
import { pauseMs } from '../../src/lib/session/start.ts';
import { UnsafeTransfers } from '../../src/lib/transfer/unsafe-transfers.ts';

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;
describe('nobody being there', () => {
  let idled: number;
  let idle: Idle;

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
    idled = 0;
    idle = new Idle(Date.now, () => idled++);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is noticed after five minutes, to the millisecond, and again while it lasts', () => {
    idle.begin();
    vi.advanceTimersByTime(5 * MINUTE - 1);
    expect(idled).toBe(0);
    vi.advanceTimersByTime(1);
    expect(idled).toBe(1);
    vi.advanceTimersByTime(MINUTE);
    expect(idled).toBe(3);
    idle.active();
    vi.advanceTimersByTime(5 * MINUTE);
    expect(idled).toBeLessThanOrEqual(4);
  });

  test('is put off by input, and not looked for after the end', () => {
    idle.begin();
    for (let minute = 0; minute < 30; minute++) {
      vi.advanceTimersByTime(MINUTE);
      idle.active();
    }
    expect(idled).toBe(0);
    idle.stop();
    vi.advanceTimersByTime(60 * MINUTE);
    expect(idled).toBe(0);
  });

  test('is noticed by the first input after sleep, before anything is done with it', () => {
    idle.begin();
    vi.setSystemTime(NOW + 60 * MINUTE);
    idle.active();
    expect(idled).toBe(1);
    idle.active();
    expect(idled).toBe(1);
    idle.stop();
    vi.setSystemTime(NOW + 120 * MINUTE);
    idle.active();
    expect(idled).toBe(1);
  });

  test('is noticed five minutes later at most when the clock is set back by a day', () => {
    idle.begin();
    vi.advanceTimersByTime(MINUTE);
    vi.setSystemTime(NOW - 24 * 60 * MINUTE);
    vi.advanceTimersByTime(10 * MINUTE);
    expect(idled).toBeGreaterThan(0);
  });
});

test('wrong passphrases make one wait longer each time, from the fourth on, five minutes at most', () => {
  const seconds = [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 1000].map((wrong) => pauseMs(wrong) / 1000);
  expect(seconds).toEqual([0, 0, 0, 0, 2, 4, 8, 128, 256, 300, 300]);
});

describe('transfers that would be lost with the keys', () => {
  const report = (transfer: string, change: Partial<TransferReport>): TransferReport => ({
    transfer,
    direction: 'up',
    name: 'x',
    phase: 'encrypting',
    doneBytes: 0,
    totalBytes: 1,
    sizeBytes: 1,
    canRetry: false,
    isSafe: false,
    ...change,
  });

  test.each<[string, Partial<TransferReport>]>([
    ['safe', { isSafe: true }],
    ['done', { phase: 'done' }],
    ['failed', { phase: 'failed' }],
    ['cancelled', { phase: 'cancelled' }],
    ['to be picked again', { phase: 'waiting-for-file' }],
    ['going down', { direction: 'down', phase: 'downloading' }],
  ])('are none when they are %s, and the last to become so is told', (_name, change) => {
    let safe = 0;
    const unsafe = new UnsafeTransfers(() => safe++);
    unsafe.hear(report('one', change));
    expect([unsafe.size, safe]).toEqual([0, 0]);
    unsafe.hear(report('one', {}));
    unsafe.hear(report('two', { phase: 'waiting' }));
    unsafe.hear(report('one', {}));
    expect([unsafe.size, safe]).toEqual([2, 0]);
    unsafe.hear(report('one', change));
    expect([unsafe.size, safe]).toEqual([1, 0]);
    unsafe.forget('two');
    expect([unsafe.size, safe]).toEqual([0, 1]);
  });
});
