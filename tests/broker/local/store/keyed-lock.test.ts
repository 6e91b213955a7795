import { beforeEach, describe, expect, it } from 'vitest';
import { KeyedLock } from '../../../../broker/local/store/keyed-lock.ts';

let lock: KeyedLock;
let begun: string[];
let ends: Map<string, (error?: Error) => void>;

beforeEach(() => {
  [lock, begun] = [new KeyedLock(), []];
  ends = new Map();
});

/** A task that ends when it is told to. */
const run = (key: string, name: string) =>
  lock.run(key, () => {
    begun.push(name);
    return new Promise<string>((resolve, reject) => {
      ends.set(name, (error) => {
        if (error) reject(error);
        else resolve(name);
      });
    });
  });
const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe('tasks', () => {
  it('of one key run one after the other, in the order in which they came', async () => {
    const all = ['a', 'b', 'c'].map((name) => run('key', name));
    await settled();
    expect(begun).toEqual(['a']);
    for (const name of ['a', 'b', 'c']) {
      ends.get(name)?.();
      await settled();
    }
    expect([begun, await Promise.all(all)]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  it('of other keys run beside them', async () => {
    void run('one', 'a');
    void run('two', 'b');
    await settled();
    expect(begun).toEqual(['a', 'b']);
  });

  it('that fail say so, and the next one runs all the same', async () => {
    const failing = run('key', 'a');
    const next = run('key', 'b');
    await settled();
    ends.get('a')?.(new Error('no'));
    await expect(failing).rejects.toThrow('no');
    await settled();
    ends.get('b')?.();
    expect(await next).toBe('b');
  });
});
