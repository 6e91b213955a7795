import { BrokerProblem } from './problem.ts';

/**
 * Who waited longer for the writers before it is not waited for any more: what it asks must not happen later, unseen.
 */
const MAX_QUEUED_MS = 20_000;

/** Runs what concerns one key one after another, in the order of the calls. */
export function createQueue() {
  const tails = new Map<string, Promise<unknown>>();
  return async <Result>(key: string, run: () => Promise<Result>): Promise<Result> => {
    const before = tails.get(key) ?? Promise.resolve();
    const begunAt = performance.now();
    const result = before.then(() => {
      if (performance.now() - begunAt <= MAX_QUEUED_MS) return run();
      throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1 });
    });
    const tail = result.catch(() => undefined);
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return result;
  };
}
