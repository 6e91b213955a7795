import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasDatabase, openDatabase } from '../../src/lib/store/database.ts';
import { createOpfsFile, listOpfs } from '../../src/lib/store/opfs.ts';
import { opfsParts } from '../../src/lib/store/part-files.ts';
import { wipeDevice } from '../../src/lib/store/wipe.ts';
import { withTimersFired } from '../support/fired-timers.ts';
import { MemoryOpfs } from '../support/memory-opfs.ts';

let opfs: MemoryOpfs;
let caches: Set<string>;

beforeEach(() => {
  opfs = new MemoryOpfs();
  caches = new Set();
  vi.stubGlobal('navigator', { storage: opfs.storage });
  vi.stubGlobal('caches', {
    keys: () => Promise.resolve([...caches]),
    delete: (name: string) => Promise.resolve(caches.delete(name)),
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a device that is wiped', () => {
  it('has nothing left but the app itself', async () => {
    const database = await openDatabase(() => undefined);
    await opfsParts('uploads').write('blob', 1, new Uint8Array(3));
    (await createOpfsFile('download-1')).close();
    caches = new Set(['shares', 'workbox-precache-v2', 'anything']);
    await wipeDevice(database);
    expect(await hasDatabase()).toBe(false);
    expect(await listOpfs()).toEqual([]);
    expect([...caches]).toEqual(['workbox-precache-v2']);
  });

  it('has other tabs let go before it removes the files that they have open', async () => {
    const order: string[] = [];
    const [database] = [
      await openDatabase(() => undefined),
      await openDatabase(() => void order.push('taken')),
    ];
    (await createOpfsFile('download-1')).close();
    opfs.faultOf = (operation) => {
      if (operation === 'remove') order.push('remove');
      return undefined;
    };
    await wipeDevice(database);
    expect(order).toEqual(['taken', 'remove']);
  });

  it('waits for a file that another tab has open yet, and does not leave it', async () => {
    const database = await openDatabase(() => undefined);
    (await createOpfsFile('download-1')).close();
    let tries = 0;
    opfs.faultOf = (operation) =>
      operation === 'remove' && (tries += 1) < 4
        ? new DOMException('in use', 'NoModificationAllowedError')
        : undefined;
    await withTimersFired(() => wipeDevice(database));
    expect([tries, await listOpfs()]).toEqual([4, []]);
  });
});
