import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryOpfs } from '../support/memory-opfs.ts';
import { opfsParts } from '../../src/lib/store/part-files.ts';
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
const parts = opfsParts('uploads');
const text = async (blob: string, partNumber: number) => (await parts.read(blob, partNumber))?.text();

describe('parts that rest on this device', () => {
  it('are each beside its like, by blob and number', async () => {
    await parts.write('a', 1, bytes('a1'));
    await parts.write('a', 2, bytes('a2'));
    await parts.write('b', 1, bytes('b1'));
    expect([await text('a', 1), await text('a', 2), await text('b', 1)]).toEqual(['a1', 'a2', 'b1']);
    expect((await parts.list()).sort()).toEqual(['a', 'b']);
  });

  it('of uploads are not those that are kept', async () => {
    await parts.write('a', 1, bytes('upload'));
    const kept = opfsParts('kept');
    expect([await kept.list(), await kept.read('a', 1)]).toEqual([[], undefined]);
    await kept.remove('a');
    expect(await text('a', 1)).toBe('upload');
  });

  it('that are written again are the later bytes and nothing of the earlier', async () => {
    await parts.write('a', 1, bytes('longer'));
    await parts.write('a', 1, bytes('new'));
    expect(await text('a', 1)).toBe('new');
  });

  it('go with their blob, and are none where there never were any', async () => {
    expect([await parts.list(), await parts.read('a', 1)]).toEqual([[], undefined]);
    await parts.remove('a');
    await parts.write('a', 1, bytes('x'));
    expect(await parts.read('a', 2)).toBeUndefined();
    await parts.remove('a');
    expect([await parts.list(), await parts.read('a', 1)]).toEqual([[], undefined]);
  });

  it('for which there is no room are told so, and can be written once there is', async () => {
    opfs.faultOf = (operation) =>
      operation === 'write' ? new DOMException('x', 'QuotaExceededError') : undefined;
    expect(await refusalCode(parts.write('a', 1, bytes('x')))).toBe('device_full');
    opfs.faultOf = () => undefined;
    await parts.write('a', 1, bytes('x'));
    expect(await text('a', 1)).toBe('x');
  });

  it('of which the browser took a piece alone are not called written', async () => {
    opfs.takesBytes = 2;
    expect(await refusalCode(parts.write('a', 1, bytes('abc')))).toBe('device_full');
    opfs.takesBytes = 3;
    await expect(parts.write('a', 1, bytes('abc'))).resolves.toBeUndefined();
  });

  it('that cannot be read for another reason than that they are not there say so', async () => {
    await parts.write('a', 1, bytes('x'));
    const fault = new DOMException('x', 'NotReadableError');
    opfs.faultOf = () => fault;
    await expect(parts.read('a', 1)).rejects.toBe(fault);
    await expect(parts.list()).rejects.toBe(fault);
    await expect(parts.remove('a')).rejects.toBe(fault);
  });
});
