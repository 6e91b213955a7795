import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { requireFeatures } from '../../src/lib/session/features.ts';

class FileHandle {
  createSyncAccessHandle(): void {
    // As browsers that can write synchronously have it.
  }
}

beforeEach(() => {
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', { locks: {}, storage: { getDirectory: () => Promise.resolve() } });
  vi.stubGlobal('FileSystemFileHandle', FileHandle);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('a browser', () => {
  it('with all that Halfkey wants is fine', async () => {
    await expect(requireFeatures()).resolves.toBeUndefined();
  });

  it.each<[string, () => void]>([
    ['secure context', () => vi.stubGlobal('isSecureContext', false)],
    ['WebAssembly', () => vi.stubGlobal('WebAssembly', undefined)],
    ['locks', () => vi.stubGlobal('navigator', { storage: { getDirectory: () => undefined } })],
    ['OPFS', () => vi.stubGlobal('navigator', { locks: {} })],
    ['OPFS', () => vi.stubGlobal('FileSystemFileHandle', { prototype: {} })],
    ['OPFS', () => vi.stubGlobal('FileSystemFileHandle', undefined)],
    [
      'Ed25519',
      () => {
        refuseKeysOf('Ed25519');
      },
    ],
    [
      'X25519',
      () => {
        refuseKeysOf('X25519');
      },
    ],
  ])('without %s is told so', async (feature, take) => {
    take();
    await expect(requireFeatures()).rejects.toMatchObject({ code: 'browser_lacks', detail: { feature } });
  });
});

function refuseKeysOf(refused: string): void {
  const { subtle } = crypto;
  const generate = subtle.generateKey.bind(subtle) as (...args: unknown[]) => Promise<CryptoKeyPair>;
  vi.spyOn(subtle, 'generateKey').mockImplementation(((...args: unknown[]) => {
    const [algorithm] = args as [string | { name: string }];
    const name = typeof algorithm === 'string' ? algorithm : algorithm.name;
    if (name === refused) return Promise.reject(new DOMException('x', 'NotSupportedError'));
    return generate(...args);
  }) as typeof subtle.generateKey);
}
