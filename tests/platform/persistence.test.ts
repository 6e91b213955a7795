import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askToKeep, askToKeepOnce } from '../../src/lib/platform/persistence.ts';

let asked: number;
let isKept: boolean;
/** What the person has said before; undefined: the browser knows no such permission. */
let permission: PermissionState | undefined;

beforeEach(() => {
  [asked, isKept, permission] = [0, false, 'prompt'];
  const storage = {
    persisted: () => Promise.resolve(isKept),
    persist: () => {
      asked += 1;
      return Promise.resolve(true);
    },
  };
  const query = ({ name }: { name: string }) => {
    expect(name).toBe('persistent-storage');
    return permission
      ? Promise.resolve({ state: permission })
      : Promise.reject(new TypeError('no such name'));
  };
  vi.stubGlobal('navigator', { storage, permissions: { query } });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the promise not to evict what rests here', () => {
  it('is asked for unasked where it is not given, and nobody has turned it down', async () => {
    for (const before of ['prompt', 'granted', undefined] as const) {
      permission = before;
      await askToKeepOnce();
    }
    expect(asked).toBe(3);
  });

  it('is not asked for unasked where it is given, or was turned down', async () => {
    isKept = true;
    await askToKeepOnce();
    [isKept, permission] = [false, 'denied'];
    await askToKeepOnce();
    expect(asked).toBe(0);
  });

  it('is asked for whenever somebody says so', async () => {
    permission = 'denied';
    expect(await askToKeep()).toBe(true);
    expect(asked).toBe(1);
  });

  it('is not there in a browser that gives none', async () => {
    vi.stubGlobal('navigator', {
      storage: {},
      permissions: { query: () => Promise.resolve({ state: 'prompt' }) },
    });
    expect(await askToKeep()).toBe(false);
    await expect(askToKeepOnce()).resolves.toBeUndefined();
  });
});
