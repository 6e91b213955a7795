import './runes.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { StorageReport } from '../../src/lib/protocol/transfer.ts';
import { Settings } from '../../src/lib/state/settings.svelte.ts';
import { toldWorker } from './told-worker.ts';

const NOTHING = { count: 0, sizeBytes: 0 };
const report = (isPersistent: boolean): StorageReport => ({
  ...{ isPersistent, usedBytes: 0, waiting: NOTHING, kept: NOTHING, pendingNames: 0 },
});
const refused = () => Promise.reject(new HalfkeyError('device_full', 'no room'));

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('settings of transfers', () => {
  it('are changed in what is named', async () => {
    const { worker, sent } = toldWorker({ 'settings/read': () => ({ parallel: 4, wifiOnly: false }) });
    const settings = new Settings(worker);
    await settings.readTransfer();
    await settings.change({ wifiOnly: true });
    expect(sent.at(-1)).toEqual(['settings/write', { parallel: 4, wifiOnly: true }]);
    expect(settings.transfer).toEqual({ parallel: 4, wifiOnly: true });
  });

  it('stay what they were when they could not be kept', async () => {
    const settings = new Settings(
      toldWorker({ 'settings/read': () => ({ parallel: 4, wifiOnly: false }), 'settings/write': refused })
        .worker,
    );
    await settings.readTransfer();
    await expect(settings.change({ parallel: 6 })).rejects.toMatchObject({ code: 'device_full' });
    expect(settings.transfer?.parallel).toBe(4);
  });

  it('are not written before they were read', async () => {
    const { worker, sent } = toldWorker();
    await new Settings(worker).change({ parallel: 6 });
    expect(sent).toEqual([]);
  });
});

describe('what this device holds', () => {
  it('is not shown as it was while it is read anew', async () => {
    const shown: unknown[] = [];
    const settings = new Settings(
      toldWorker({
        'storage/read': () => {
          shown.push(settings.storage);
          return report(false);
        },
      }).worker,
    );
    await settings.readStorage();
    await settings.readStorage();
    expect([...shown, settings.storage]).toEqual([undefined, undefined, report(false)]);
  });

  it('is read again once the browser was asked to keep it', async () => {
    let isPersistent = false;
    vi.stubGlobal('navigator', {
      storage: { persist: () => Promise.resolve((isPersistent = true)) },
    });
    const settings = new Settings(toldWorker({ 'storage/read': () => report(isPersistent) }).worker);
    expect(await settings.keepData()).toBe(true);
    expect(settings.storage?.isPersistent).toBe(true);
  });
});

describe('the question for the passphrase at each start', () => {
  it('is on once the worker has taken the passphrase, and off once it has let go of it', async () => {
    const { worker, sent } = toldWorker({ 'start/read': () => ({ asksPassphrase: false }) });
    const settings = new Settings(worker);
    await settings.readStart();
    expect(settings.asksPassphrase).toBe(false);
    await settings.askAtStart('zebra');
    expect(settings.asksPassphrase).toBe(true);
    await settings.stopAskingAtStart();
    expect(settings.asksPassphrase).toBe(false);
    expect(sent.slice(1)).toEqual([
      ['start/write', { passphrase: 'zebra' }],
      ['start/write', {}],
    ]);
  });

  it('stays as it was when the passphrase was wrong', async () => {
    const wrong = () => Promise.reject(new HalfkeyError('passphrase_wrong', 'no'));
    const settings = new Settings(toldWorker({ 'start/write': wrong }).worker);
    await expect(settings.askAtStart('x')).rejects.toMatchObject({ code: 'passphrase_wrong' });
    expect(settings.asksPassphrase).toBeUndefined();
  });
});

it('knows nothing any more once it is cleared', async () => {
  const settings = new Settings(
    toldWorker({
      'settings/read': () => ({ parallel: 4, wifiOnly: false }),
      'storage/read': () => report(true),
      'start/read': () => ({ asksPassphrase: true }),
    }).worker,
  );
  await Promise.all([settings.readTransfer(), settings.readStorage(), settings.readStart()]);
  settings.clear();
  expect([settings.transfer, settings.storage, settings.asksPassphrase]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
