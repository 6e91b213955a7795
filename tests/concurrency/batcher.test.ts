import { describe, expect, test, vi } from 'vitest';
import { Batcher, type Outcome } from '../../src/lib/concurrency/batcher.ts';

const done = <Result>(result: Result): Outcome<Result> => ({ kind: 'done', result });

/** A batcher whose batches are kept, and end when they are told to. */
function recorded(limit: number, goesWith?: (first: string, item: string) => boolean) {
  const batches: (readonly string[])[] = [];
  const ends: ((outcomes: readonly Outcome<string>[] | Error) => void)[] = [];
  const batcher = new Batcher<string, string>({
    limit,
    ...(goesWith && { goesWith }),
    serve(batch) {
      batches.push(batch);
      return new Promise((resolve, reject) => {
        ends.push((outcomes) => {
          if (outcomes instanceof Error) reject(outcomes);
          else resolve(outcomes);
        });
      });
    },
  });
  /** Ends the batch that is under way, once it is. */
  const end = async (outcomes: readonly Outcome<string>[] | Error) => {
    await expect.poll(() => ends.length).toBeGreaterThan(0);
    ends.shift()?.(outcomes);
  };
  return { batcher, batches, end };
}

describe('a batcher', () => {
  test('serves what is asked for in one turn by one batch, and what comes meanwhile by the next', async () => {
    const { batcher, batches, end } = recorded(10);
    const first = Promise.all([batcher.ask('a'), batcher.ask('b')]);
    await expect.poll(() => batches.length).toBe(1);
    const second = Promise.all([batcher.ask('c'), batcher.ask('d')]);
    await end([done('A'), done('B')]);
    expect(await first).toEqual(['A', 'B']);
    await end([done('C'), done('D')]);
    expect(await second).toEqual(['C', 'D']);
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  test('waits for what is coming, until a batch is full, nothing more comes, or it was long enough', async () => {
    vi.useFakeTimers();
    try {
      const batches: (readonly string[])[] = [];
      let isMoreComing = false;
      const batcher = new Batcher<string, string>({
        limit: 3,
        isMoreComing: () => isMoreComing,
        serve(batch) {
          batches.push(batch);
          return Promise.resolve(batch.map(done));
        },
      });
      expect(await batcher.ask('a')).toBe('a'); // One that comes alone is not held up.
      isMoreComing = true;
      const full = ['b', 'c', 'd'].map((item) => batcher.ask(item));
      expect(await Promise.all(full)).toEqual(['b', 'c', 'd']);
      const last = [batcher.ask('e')];
      await vi.advanceTimersByTimeAsync(500);
      expect(batches).toEqual([['a'], ['b', 'c', 'd']]);
      isMoreComing = false;
      last.push(batcher.ask('f'));
      expect(await Promise.all(last)).toEqual(['e', 'f']);
      // What is coming, and never comes.
      isMoreComing = true;
      const alone = batcher.ask('g');
      await vi.advanceTimersByTimeAsync(1499);
      expect(batches).toHaveLength(3);
      await vi.advanceTimersByTimeAsync(1);
      expect(await alone).toBe('g');
      expect(batches).toEqual([['a'], ['b', 'c', 'd'], ['e', 'f'], ['g']]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('makes no batch larger than its limit, and serves in the order of asking', async () => {
    const { batcher, batches, end } = recorded(2);
    const all = Promise.all(['a', 'b', 'c'].map((item) => batcher.ask(item)));
    await end([done('A'), done('B')]);
    await end([done('C')]);
    expect(await all).toEqual(['A', 'B', 'C']);
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  test('puts together only what may go together', async () => {
    const { batcher, batches, end } = recorded(10, (first, item) => item.startsWith(first.slice(0, 1)));
    const all = Promise.all(['x1', 'y1', 'x2'].map((item) => batcher.ask(item)));
    await end([done('1'), done('2')]);
    await end([done('3')]);
    expect(await all).toEqual(['1', '3', '2']);
    expect(batches).toEqual([['x1', 'x2'], ['y1']]);
  });

  test('fails one by one, and asks first again for what nothing was said of', async () => {
    const { batcher, batches, end } = recorded(2);
    const asked = ['a', 'b', 'c'].map((item) => batcher.ask(item).catch((error: unknown) => error));
    const refused = new Error('refused');
    await end([{ kind: 'again' }, { kind: 'failed', error: refused }]);
    await end([done('A'), done('C')]);
    expect(await Promise.all(asked)).toEqual(['A', refused, 'C']);
    expect(batches).toEqual([
      ['a', 'b'],
      ['a', 'c'],
    ]);
  });

  test('fails the whole of a batch that throws, and goes on with the next', async () => {
    const { batcher, end } = recorded(2);
    const asked = ['a', 'b', 'c'].map((item) => batcher.ask(item).catch((error: unknown) => error));
    const broken = new Error('broken');
    await end(broken);
    await end([done('C')]);
    expect(await Promise.all(asked)).toEqual([broken, broken, 'C']);
  });
});
