import { describe, expect, test } from 'vitest';
import { wipeAtEnd } from '../../src/lib/crypto/wipe.ts';

const secret = () => new Uint8Array([1, 2, 3]);
const WIPED = new Uint8Array(3);

describe('a secret that is wiped at the end of its block', () => {
  test('is whole until then, and zeros afterwards', () => {
    const [first, second] = [secret(), secret()];
    const use = () => {
      using _both = wipeAtEnd(first, undefined, second);
      return Array.from(first);
    };
    expect(use()).toEqual([1, 2, 3]);
    expect([first, second]).toEqual([WIPED, WIPED]);
  });

  test('is zeros when the block throws, and what it threw is thrown', async () => {
    const key = secret();
    const use = async () => {
      using _key = wipeAtEnd(key);
      await Promise.resolve();
      throw new Error('the seal is broken');
    };
    await expect(use()).rejects.toThrow('the seal is broken');
    expect(key).toEqual(WIPED);
  });

  test('outlives what its block waits for', async () => {
    const key = secret();
    const use = async () => {
      using _key = wipeAtEnd(key);
      await new Promise((resolve) => setTimeout(resolve));
      return Array.from(key);
    };
    expect(await use()).toEqual([1, 2, 3]);
    expect(key).toEqual(WIPED);
  });
});
