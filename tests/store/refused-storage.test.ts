import { afterEach, describe, expect, it, vi } from 'vitest';
import { listOpfs, requireOpfs } from '../../src/lib/store/opfs.ts';
import { opfsParts } from '../../src/lib/store/part-files.ts';

// Private windows have all the functions of a private file system, and refuse when they are used: Safari's and
// Firefox's with the first one.

afterEach(() => {
  vi.unstubAllGlobals();
});

function fileSystem(getDirectory: () => Promise<unknown>): void {
  vi.stubGlobal('navigator', { storage: { getDirectory } });
}

function refuses(name: string): () => Promise<never> {
  return () => Promise.reject(new DOMException('as the test wants it', name));
}

/** One that opens, and whose files do not. */
function opening(createSyncAccessHandle: () => Promise<unknown>): () => Promise<unknown> {
  const root = {
    getFileHandle: () => Promise.resolve({ createSyncAccessHandle }),
    removeEntry: () => Promise.resolve(),
  };
  return () => Promise.resolve(root);
}

describe('a browser that keeps no files', () => {
  it.each([
    ['Safari’s private window', refuses('UnknownError')],
    ['Firefox’s private window', refuses('SecurityError')],
    ['one that opens no file', opening(refuses('NotSupportedError'))],
  ])('is told before anything is written: %s', async (_, getDirectory) => {
    fileSystem(getDirectory);
    await expect(requireOpfs()).rejects.toMatchObject({ code: 'storage_refused' });
  });

  it('is not one that is full', async () => {
    fileSystem(opening(refuses('QuotaExceededError')));
    await expect(requireOpfs()).rejects.toMatchObject({ code: 'device_full' });
  });

  it('holds nothing, takes nothing, and says so of what it should have', async () => {
    fileSystem(refuses('SecurityError'));
    const parts = opfsParts('uploads');
    expect(await listOpfs()).toEqual([]);
    expect(await parts.list()).toEqual([]);
    await expect(parts.write('blob', 1, Uint8Array.of(1))).rejects.toMatchObject({ code: 'storage_refused' });
    await expect(parts.read('blob', 1)).rejects.toMatchObject({ code: 'storage_refused' });
  });
});

it('keeps no trace of having tried', async () => {
  const removed: string[] = [];
  const made: string[] = [];
  const handle = { truncate: () => undefined, close: () => undefined };
  fileSystem(() =>
    Promise.resolve({
      getFileHandle: (name: string) => {
        made.push(name);
        return Promise.resolve({ createSyncAccessHandle: () => Promise.resolve(handle) });
      },
      removeEntry: (name: string) => {
        removed.push(name);
        return Promise.resolve();
      },
    }),
  );
  await requireOpfs();
  expect(made).toHaveLength(1);
  expect(removed).toEqual(made);
});
