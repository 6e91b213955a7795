import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import { backoffMs, retry } from '../../src/lib/remote/retry.ts';
import { inLanes } from '../../src/lib/concurrency/lanes.ts';
import { Semaphore } from '../../src/lib/concurrency/semaphore.ts';
import { Connection, type Wait } from '../../src/lib/transfer/connection.ts';
import { Meter } from '../../src/lib/transfer/meter.ts';

const forever = new AbortController().signal;

describe('trying again', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits longer each time, never beyond half a minute, and never all at the same moment', () => {
    expect([1, 2, 3, 10].map((attempt) => backoffMs(attempt, () => 1))).toEqual([500, 1000, 2000, 30_000]);
    expect(backoffMs(10, () => 0)).toBe(15_000);
  });

  it('goes on after what is unreachable', async () => {
    const attempt = vi
      .fn()
      .mockRejectedValueOnce(new HalfkeyError('store_unreachable', ''))
      .mockResolvedValue('there');
    const result = retry(attempt, forever);
    await vi.runAllTimersAsync();
    expect(await result).toBe('there');
    expect(attempt).toHaveBeenCalledTimes(2);
  });

  it.each<ErrorCode>(['segment_corrupt', 'code_wrong', 'head_changed', 'browser_lacks'])(
    'never repeats %s',
    async (code) => {
      const attempt = vi.fn().mockRejectedValue(new HalfkeyError(code, ''));
      await expect(retry(attempt, forever)).rejects.toMatchObject({ code });
      expect(attempt).toHaveBeenCalledTimes(1);
    },
  );

  it('gives up after ten attempts, with the last reason', async () => {
    const attempt = vi.fn().mockRejectedValue(new HalfkeyError('store_unreachable', ''));
    const result = retry(attempt, forever);
    const refused = expect(result).rejects.toMatchObject({ code: 'store_unreachable' });
    await vi.runAllTimersAsync();
    await refused;
    expect(attempt).toHaveBeenCalledTimes(10);
  });

  it('ends in the middle of a pause when it is cancelled', async () => {
    const controller = new AbortController();
    const attempt = vi.fn().mockRejectedValue(new HalfkeyError('store_unreachable', ''));
    const result = retry(attempt, controller.signal);
    const refused = expect(result).rejects.toMatchObject({ name: 'AbortError' });
    await vi.advanceTimersByTimeAsync(1);
    controller.abort();
    await refused;
  });
});

describe('lanes', () => {
  it('does everything once, never more at a time than there are lanes', async () => {
    let [under, most] = [0, 0];
    const seen: number[] = [];
    await inLanes(
      Array.from({ length: 20 }, (_, index) => index),
      4,
      forever,
      async (item) => {
        most = Math.max(most, ++under);
        await Promise.resolve();
        seen.push(item);
        under -= 1;
      },
    );
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(most).toBe(4);
  });

  it('stops the others at the first failure, and throws that one', async () => {
    const begun: number[] = [];
    const work = inLanes([1, 2, 3, 4, 5], 2, forever, async (item, signal) => {
      begun.push(item);
      if (item === 1) throw new HalfkeyError('source_changed', '');
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
    });
    await expect(work).rejects.toMatchObject({ code: 'source_changed' });
    expect(begun).toEqual([1, 2]);
  });

  it('lets through as many as there are places, in their order, failures included', async () => {
    const semaphore = new Semaphore(1);
    const order: string[] = [];
    const first = semaphore.pass(() => Promise.reject(new Error('first')));
    const rest = ['second', 'third'].map((name) => semaphore.pass(() => Promise.resolve(order.push(name))));
    await expect(first).rejects.toThrow('first');
    await Promise.all(rest);
    expect(order).toEqual(['second', 'third']);
  });
});

describe('the meter', () => {
  it('reports twice a second, and guesses the time left after three seconds', () => {
    const meter = new Meter();
    expect(meter.sample(0, 0)).toBe(true);
    expect(meter.sample(10, 100)).toBe(false);
    expect(meter.sample(1000, 1000)).toBe(true);
    expect(meter.pace(10_000)).toEqual({ bytesPerSecond: 1000 });
    meter.sample(4000, 4000);
    expect(meter.pace(10_000)).toEqual({ bytesPerSecond: 1000, secondsLeft: 6 });
  });

  it('follows the last five seconds, not the beginning', () => {
    const meter = new Meter();
    for (let tick = 0; tick <= 10; tick++) meter.sample(tick * 5000, tick * 500);
    for (let tick = 1; tick <= 10; tick++) meter.sample(50_000 + tick * 500, 5000 + tick * 500);
    expect(meter.pace(60_000)).toEqual({ bytesPerSecond: 1000, secondsLeft: 5 });
  });
});

describe('the way to a server that is silent', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const silent = () => Promise.reject(new HalfkeyError('store_unreachable', ''));
  const connectionOf = (options: Partial<ConstructorParameters<typeof Connection>[0]> = {}) =>
    new Connection({ isAllowed: () => true, isPatient: true, ...options });

  it('is tried by one of all who wait, and by all once that one is answered', async () => {
    let [isUp, under, most, tries] = [false, 0, 0, 0];
    const onWaiting = vi.fn();
    const connection = connectionOf({ onWaiting });
    const work = async () => {
      tries += 1;
      most = Math.max(most, ++under);
      await Promise.resolve();
      under -= 1;
      return isUp ? 'there' : silent();
    };
    await expect(
      Promise.race([connection.attempt(work, forever), vi.advanceTimersByTimeAsync(1)]),
    ).resolves.not.toBe('there');
    const all = Promise.all(Array.from({ length: 20 }, () => connection.attempt(work, forever)));
    [most, tries] = [0, 0];
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(most).toBe(1);
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(50);
    isUp = true;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await all).toHaveLength(20);
    const waits = onWaiting.mock.calls.map(([wait]) => wait as Wait | undefined);
    expect(waits.at(-1)).toBeUndefined();
    for (const wait of waits.slice(0, -1)) expect(wait?.for).toBe('silence');
  });

  it('says when it is tried again, and that it is while it is', async () => {
    vi.setSystemTime(1_000_000);
    const waits: (Wait | undefined)[] = [];
    const connection = connectionOf({ onWaiting: (wait) => waits.push(wait) });
    let isUp = false;
    const result = connection.attempt(() => (isUp ? Promise.resolve('there') : silent()), forever);
    await vi.advanceTimersByTimeAsync(0);
    const { nextTryAtMs = 0 } = connection.wait ?? {};
    expect(nextTryAtMs).toBeGreaterThan(1_000_000);
    expect(nextTryAtMs).toBeLessThanOrEqual(1_000_500);
    isUp = true;
    await vi.advanceTimersByTimeAsync(500);
    expect(await result).toBe('there');
    expect(waits).toEqual([
      { for: 'silence' },
      { for: 'silence', nextTryAtMs },
      { for: 'silence' },
      undefined,
    ]);
  });

  it('is not asked again and again for what it refuses for good', async () => {
    const refusing = (code: ErrorCode) =>
      vi.fn().mockRejectedValue(new HalfkeyError(code, '', { detail: { reason: 'AccessDenied' } }));
    for (const [code, thrown, tries] of [
      ['url_expired', 'store_refused', 3],
      ['store_refused', 'store_refused', 1],
      ['kms_key_unusable', 'kms_key_unusable', 1],
    ] as const) {
      const work = refusing(code);
      const refused = expect(connectionOf().attempt(work, forever)).rejects.toMatchObject({
        code: thrown,
        detail: { reason: 'AccessDenied' },
      });
      await vi.runAllTimersAsync();
      await refused;
      expect(work).toHaveBeenCalledTimes(tries);
    }
  });

  it('is tried at once when it is woken', async () => {
    const connection = connectionOf();
    const work = vi.fn().mockImplementation(silent);
    void connection.attempt(work, forever).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    work.mockClear().mockResolvedValue('there');
    connection.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('is not tried while the line is not to be used', async () => {
    let isAllowed = false;
    const connection = connectionOf({ isAllowed: () => isAllowed });
    const work = vi.fn().mockResolvedValue('there');
    const result = connection.attempt(work, forever);
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    expect(work).not.toHaveBeenCalled();
    expect(connection.wait).toEqual({ for: 'line' });
    isAllowed = true;
    connection.wake();
    expect(await result).toBe('there');
  });

  it('is given up at once by who cannot wait', async () => {
    await expect(connectionOf({ isPatient: false }).attempt(silent, forever)).rejects.toMatchObject({
      code: 'store_unreachable',
    });
  });

  it('lets go of whoever does not want it any more, and of the others not', async () => {
    const connection = connectionOf();
    const controller = new AbortController();
    let isUp = false;
    const work = () => (isUp ? Promise.resolve('there') : silent());
    const first = connection.attempt(work, controller.signal);
    const second = connection.attempt(work, forever);
    const refused = expect(first).rejects.toMatchObject({ name: 'AbortError' });
    await vi.advanceTimersByTimeAsync(1000);
    controller.abort();
    await refused;
    isUp = true;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await second).toBe('there');
  });
});
