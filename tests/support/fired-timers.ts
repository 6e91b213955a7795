import { vi } from 'vitest';
import { until } from './until.ts';

/**
 * Lets each timer fire as soon as it is set, until `work` has come to its end: for what waits in between, and works for
 * real besides.
 */
export async function withTimersFired<Result>(work: () => Promise<Result>): Promise<Result> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let isOver = false;
    const result = work().finally(() => (isOver = true));
    result.catch(() => undefined); // Anyone who awaits it below hears of it.
    await until(() => {
      vi.runOnlyPendingTimers();
      return isOver;
    });
    return await result;
  } finally {
    vi.useRealTimers();
  }
}
