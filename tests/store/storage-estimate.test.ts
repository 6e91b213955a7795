import { afterEach, describe, expect, it, vi } from 'vitest';
import { freeBytes, storageTerms } from '../../src/lib/store/opfs.ts';

const MB = 1_000_000;

afterEach(() => {
  vi.unstubAllGlobals();
});

function browserSays(estimate: StorageEstimate): void {
  const storage = { estimate: () => Promise.resolve(estimate), persisted: () => Promise.resolve(true) };
  vi.stubGlobal('navigator', { storage });
}

describe('room on this device', () => {
  it('is what the quota leaves', async () => {
    browserSays({ quota: 10_000 * MB, usage: 3000 * MB });
    expect(await freeBytes(2900 * MB)).toBe(7000 * MB);
  });

  it('is none where more is in use than the quota is now', async () => {
    browserSays({ quota: 100 * MB, usage: 300 * MB });
    expect(await freeBytes(290 * MB)).toBe(0);
  });

  // What Chromium counts of OPFS may wrap below zero: 4.3 GB in use after 9 MB were uploaded.
  it('is unknown where the browser counts far more than there is', async () => {
    browserSays({ quota: 4000 * MB, usage: 2 ** 32 - 9 * MB });
    expect(await freeBytes(9 * MB)).toBeUndefined();
  });

  it.each([{}, { quota: 1 }, { usage: 1 }])(
    'is unknown where the browser does not say: %j',
    async (estimate) => {
      browserSays(estimate);
      expect(await freeBytes(0)).toBeUndefined();
    },
  );

  it('is described without what the browser counts', async () => {
    browserSays({ quota: 4000 * MB, usage: 2 ** 32 });
    expect(await storageTerms()).toEqual({ quotaBytes: 4000 * MB, isPersistent: true });
  });
});
