import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { createOpfsFile, listOpfs } from '../../../src/lib/store/opfs.ts';
import { createSink, removeDownload, sweepDownloads } from '../../../src/lib/transfer/download/sink.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { MemoryOpfs } from '../../support/memory-opfs.ts';
import { TestLocks } from '../../support/test-locks.ts';

let opfs: MemoryOpfs;
let locks: TestLocks;

beforeEach(() => {
  [opfs, locks] = [new MemoryOpfs(), new TestLocks()];
  openTab();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** What follows is done by a tab of its own. @returns what ends it */
function openTab(): () => void {
  const { locks: own, drop } = locks.client();
  vi.stubGlobal('navigator', { storage: opfs.storage, locks: own });
  return drop;
}
const fault = (name: string) => () => Promise.reject(new DOMException('x', name));

describe('a download into a private file', () => {
  it('is offered whole, under the name of its transfer', async () => {
    const sink = await createSink('t1');
    await sink.write(utf8('ab'));
    await sink.write(utf8('c'));
    const file = await sink.finish();
    expect([await file?.text(), await listOpfs()]).toEqual(['abc', ['download-t1']]);
  });

  it('that ends in the middle leaves nothing', async () => {
    const sink = await createSink('t1');
    await sink.write(utf8('ab'));
    await sink.discard();
    expect(await listOpfs()).toEqual([]);
  });

  it.each<[string, () => void]>([
    [
      'fails',
      () =>
        (opfs.faultOf = (operation) =>
          operation === 'write' ? new DOMException('x', 'QuotaExceededError') : undefined),
    ],
    ['writes a piece of it', () => (opfs.takesBytes = 1)],
  ])('for which there is no room is told so, where the browser %s', async (_case, fill) => {
    const sink = await createSink('t1');
    fill();
    expect(await refusalCode(sink.write(utf8('ab')))).toBe('device_full');
  });

  it('goes when it is dismissed', async () => {
    await (await createSink('t1')).finish();
    await removeDownload('t1');
    await removeDownload('t1');
    expect(await listOpfs()).toEqual([]);
  });
});

describe('what downloads have left behind', () => {
  it('is removed where its tab is gone, and nothing else is', async () => {
    const close = openTab();
    await (await createSink('gone')).finish();
    openTab();
    await (await createSink('here')).finish();
    (await createOpfsFile('other')).close();
    close();
    openTab();
    await sweepDownloads();
    expect((await listOpfs()).sort()).toEqual(['download-here', 'other']);
  });
});

describe('a download into a file that was picked', () => {
  let heard: string[];
  let stream: { write: () => Promise<void>; close: () => Promise<void>; abort: () => Promise<void> };
  const handle = { createWritable: () => Promise.resolve(stream) } as unknown as FileSystemFileHandle;

  beforeEach(() => {
    heard = [];
    const hears = (what: string) => () => Promise.resolve(void heard.push(what));
    stream = { write: hears('write'), close: hears('close'), abort: hears('abort') };
  });

  it('is in its place once it is finished, and nothing is to be offered', async () => {
    const sink = await createSink('t1', handle);
    await sink.write(utf8('a'));
    expect(await sink.finish()).toBeUndefined();
    expect([heard, await listOpfs()]).toEqual([['write', 'close'], []]);
  });

  it('that ends in the middle leaves the file of before, although the browser says that this failed', async () => {
    const sink = await createSink('t1', handle);
    stream.abort = fault('InvalidStateError');
    await expect(sink.discard()).resolves.toBeUndefined();
    expect(heard).toEqual([]);
  });

  it.each([
    ['QuotaExceededError', 'device_full'],
    ['NotAllowedError', 'download_cut'],
    ['AbortError', 'download_cut'], // Chromium thinks the file unsafe: it was not called off.
  ])('that ends in %s is told as %s, wherever', async (name, code) => {
    const sink = await createSink('t1', handle);
    [stream.write, stream.close] = [fault(name), fault(name)];
    expect(await refusalCode(sink.write(utf8('a')))).toBe(code);
    expect(await refusalCode(sink.finish())).toBe(code);
    const refusing = { createWritable: fault(name) } as unknown as FileSystemFileHandle;
    expect(await refusalCode(createSink('t1', refusing))).toBe(code);
  });
});
