import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryOpfs } from '../support/memory-opfs.ts';
import { createOpfsFile, listOpfs, readOpfsFile, removeOpfsFile } from '../../src/lib/store/opfs.ts';
import { refusalCode } from '../crypto/refusal.ts';

let opfs: MemoryOpfs;

beforeEach(() => {
  opfs = new MemoryOpfs();
  vi.stubGlobal('navigator', { storage: opfs.storage });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a private file', () => {
  it('is written, listed, read and removed', async () => {
    const handle = await createOpfsFile('a');
    handle.write(bytes('abc'), { at: 0 });
    handle.close();
    expect(await listOpfs()).toEqual(['a']);
    expect(await (await readOpfsFile('a'))?.text()).toBe('abc');
    await removeOpfsFile('a');
    expect(await readOpfsFile('a')).toBeUndefined();
    expect(await listOpfs()).toEqual([]);
  });

  it('that is made again is empty', async () => {
    for (const text of ['abc', '']) {
      const handle = await createOpfsFile('a');
      handle.write(bytes(text), { at: 0 });
      handle.close();
    }
    expect((await readOpfsFile('a'))?.size).toBe(0);
  });

  it('that is not there is removed all the same; one that does not go says so', async () => {
    await expect(removeOpfsFile('a')).resolves.toBeUndefined();
    const fault = new DOMException('in use', 'NoModificationAllowedError');
    opfs.faultOf = () => fault;
    await expect(removeOpfsFile('a')).rejects.toBe(fault);
    await expect(readOpfsFile('a')).rejects.toBe(fault);
  });

  it('for which there is no room is told as such', async () => {
    opfs.faultOf = () => new DOMException('x', 'QuotaExceededError');
    expect(await refusalCode(createOpfsFile('a'))).toBe('device_full');
  });

  it('that the browser refuses is told as such, and in listings is nothing', async () => {
    vi.stubGlobal('navigator', {
      storage: { getDirectory: () => Promise.reject(new Error('private mode')) },
    });
    expect(await refusalCode(createOpfsFile('a'))).toBe('storage_refused');
    expect(await listOpfs()).toEqual([]);
  });
});
