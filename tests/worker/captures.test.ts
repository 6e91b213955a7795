import type { BrowserContext } from 'playwright';
import { expect, test } from 'vitest';
import { inLongForm, isLongForm } from '../support/long-form.ts';
import type { TransferReport } from '../../src/lib/protocol/transfer.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import { setUpWorlds, type Person } from './people.ts';

declare const bare: Bare;

// Files that are taken in while there is no code, no network, or no tab for long enough.
const MIB = 1024 * 1024;
const MANY = isLongForm ? 200 : 60;
/** What a file is taken in as: at once, or part by part. */
const ONE_PART = ['one part', 3000] as const;
const THREE_PARTS = ['three parts', 17 * MIB] as const;
const worlds = setUpWorlds();

async function atHome(): Promise<{ device: Device; person: Person }> {
  const device = await worlds.newDevice();
  return { device, person: await worlds.signUp(device) };
}

async function unlock(device: Device, { factor }: Person): Promise<void> {
  await device.send('unlock', { factor: factor() });
}

/** Neither broker nor store is to be reached: the page itself is, as a service worker would serve it. */
async function cut(context: BrowserContext): Promise<() => Promise<void>> {
  const isOut = (url: URL) => url.pathname.startsWith('/api/') || url.origin !== worlds.stack.origin;
  await context.route(isOut, (route) => route.abort('internetdisconnected'));
  return () => context.unroute(isOut);
}

/** Files of bytes that repeat with a period of their own. */
async function add(device: Device, ...files: { name: string; sizeBytes: number }[]): Promise<void> {
  await device.page.evaluate(async (files) => {
    const made = files.map(({ name, sizeBytes }) => {
      const bytes = Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7 + (index >> 9)) % 256);
      return { source: new File([bytes], name, { lastModified: 1_700_000_000_000 }), folder: '' };
    });
    await bare.send('upload/add', { files: made });
  }, files);
}

/** Reads a file back, and says its length and where it differs from what `add` makes; -1 when nowhere. */
async function readBack(device: Device, name: string): Promise<{ size: number; differsAt: number }> {
  const file = await device.file(name);
  return device.page.evaluate(async (id) => {
    const { result, code } = await bare.send('download/write', { file: id, form: 'plain' });
    const { opfs } = (result ?? {}) as { opfs?: File };
    if (!opfs) throw new Error(`nothing was written: ${String(code)}`);
    const bytes = new Uint8Array(await opfs.arrayBuffer());
    return {
      size: bytes.length,
      differsAt: bytes.findIndex((byte, index) => byte !== (index * 7 + (index >> 9)) % 256),
    };
  }, file);
}

function transferOf(device: Device, name: string): Promise<TransferReport | undefined> {
  return device
    .reports()
    .then(
      (reports) =>
        reports.findLast((report) => report.kind === 'transfer' && report.transfer.name === name) as
          { transfer: TransferReport } | undefined,
    )
    .then((report) => report?.transfer);
}

async function untilTransfer(device: Device, name: string, phase: TransferReport['phase']): Promise<void> {
  await expect
    .poll(async () => (await transferOf(device, name))?.phase, {
      timeout: 30_000,
      message: `${name} ${phase}`,
    })
    .toBe(phase);
}

/** What is stored of uploads: records, and folders of ciphertext. */
function resting(device: Device): Promise<{ states: string[]; folders: number; text: string }> {
  return device.page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open('halfkey');
      opening.onsuccess = () => {
        resolve(opening.result);
      };
    });
    const all = await new Promise<Record<string, unknown>[]>((resolve) => {
      const reading = database.transaction('uploads').objectStore('uploads').getAll();
      reading.onsuccess = () => {
        resolve(reading.result as Record<string, unknown>[]);
      };
    });
    database.close();
    let folders = 0;
    const root = await navigator.storage.getDirectory();
    const area = await root.getDirectoryHandle('uploads').catch(() => undefined);
    if (area) for await (const folder of area.keys()) folders += folder === '' ? 0 : 1;
    const text = all
      .flatMap((record) => Object.values(record))
      .map((value) => (value instanceof Uint8Array ? new TextDecoder('latin1').decode(value) : String(value)))
      .join('\n');
    return { states: all.map(({ state }) => String(state)), folders, text };
  });
}

test.each([...(isLongForm ? [ONE_PART] : []), THREE_PARTS])(
  'a file of %s that is picked while locked is saved at once, and in the drive after the next code',
  async (_, sizeBytes) => {
    const { device, person } = await atHome();
    await device.send('lock', {});
    await add(device, { name: 'a.bin', sizeBytes });
    await untilTransfer(device, 'a.bin', 'waiting-for-code');
    expect(await device.names()).toEqual([]);
    expect(await resting(device)).toMatchObject({ states: ['saved'], folders: 0 });
    await unlock(device, person);
    await untilTransfer(device, 'a.bin', 'done');
    expect(await readBack(device, 'a.bin')).toEqual({ size: sizeBytes, differsAt: -1 });
    expect(await resting(device)).toMatchObject({ states: [], folders: 0 });
  },
);

test.each([ONE_PART, ...(isLongForm ? [THREE_PARTS] : [])])(
  'a file of %s that is picked without a network outlives its tab, and goes up when there is one',
  async (_, sizeBytes) => {
    const { device, person } = await atHome();
    const mend = await cut(device.context);
    await add(device, { name: 'secret name.bin', sizeBytes });
    await untilTransfer(device, 'secret name.bin', 'waiting-for-network');
    expect((await transferOf(device, 'secret name.bin'))?.isSafe).toBe(true);
    const { text, folders } = await resting(device);
    expect(folders).toBe(1);
    expect(text).not.toContain('secret');
    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
    await untilTransfer(device, 'secret name.bin', 'waiting-for-network');
    await mend();
    await device.send('upload/wake', {});
    await untilTransfer(device, 'secret name.bin', 'waiting-for-code');
    await unlock(device, person);
    await untilTransfer(device, 'secret name.bin', 'done');
    expect(await readBack(device, 'secret name.bin')).toEqual({ size: sizeBytes, differsAt: -1 });
    expect(await resting(device)).toMatchObject({ states: [], folders: 0 });
  },
);

inLongForm(test)('what a locked device has saved another one takes into the drive', async () => {
  const { device, person } = await atHome();
  await device.send('lock', {});
  await add(device, { name: 'a.bin', sizeBytes: 3000 }, { name: 'b.bin', sizeBytes: 9 * MIB });
  await untilTransfer(device, 'a.bin', 'waiting-for-code');
  await untilTransfer(device, 'b.bin', 'waiting-for-code');
  const other = await worlds.newDevice();
  await worlds.signIn(other, person);
  expect(await readBack(other, 'b.bin')).toEqual({ size: 9 * MIB, differsAt: -1 });
  await untilTransfer(device, 'a.bin', 'done');
  await untilTransfer(device, 'b.bin', 'done');
  expect(await device.names()).toEqual(['a.bin', 'b.bin']);
});

test(`${String(MANY)} files that were picked without code and network are in the drive after one code`, async () => {
  const { device, person } = await atHome();
  await device.send('lock', {});
  const mend = await cut(device.context);
  const files = Array.from({ length: MANY }, (_, index) => ({
    name: `${String(index)}.bin`,
    sizeBytes: 100 + index,
  }));
  await add(device, ...files);
  await expect.poll(async () => (await resting(device)).folders, { timeout: 30_000 }).toBe(MANY);
  await mend();
  await device.send('upload/wake', {});
  await unlock(device, person);
  await expect
    .poll(async () => (await device.send('view/rows', { from: 0, count: 300 })).rows.length, {
      timeout: 60_000,
    })
    .toBe(MANY);
  await expect.poll(async () => (await resting(device)).states, { timeout: 30_000 }).toEqual([]);
  expect(await readBack(device, '50.bin')).toEqual({ size: 150, differsAt: -1 });
});

inLongForm(test)(
  'a file for which this device has no room goes up all the same, and leaves nothing here',
  async () => {
    const { device } = await atHome();
    const session = await device.context.newCDPSession(device.page);
    await session.send('Storage.overrideQuotaForOrigin', {
      origin: worlds.stack.origin,
      quotaSize: 24 * MIB,
    });
    await add(device, { name: 'large.bin', sizeBytes: 17 * MIB });
    await expect.poll(async () => (await transferOf(device, 'large.bin'))?.phase).toBe('encrypting');
    await untilTransfer(device, 'large.bin', 'done');
    expect(await readBack(device, 'large.bin')).toEqual({ size: 17 * MIB, differsAt: -1 });
    expect(await resting(device)).toMatchObject({ states: [], folders: 0 });
  },
);

inLongForm(test)(
  'a file that is kept on this device opens without the store, and is fetched again when it is not kept any longer',
  async () => {
    const { device } = await atHome();
    await add(device, { name: 'a.bin', sizeBytes: 9 * MIB });
    await untilTransfer(device, 'a.bin', 'done');
    const file = await device.file('a.bin');
    await device.send('file/keep', { file, keep: true });
    const { rows } = await device.send('view/rows', { from: 0, count: 1 });
    expect(rows[0]).toMatchObject({ kept: 'kept' });
    expect((await device.send('storage/read', {})).kept.count).toBe(1);
    let fetched = 0;
    await device.context.route(
      (url) => url.origin !== worlds.stack.origin,
      async (route) => {
        fetched += route.request().method() === 'GET' ? 1 : 0;
        await route.continue();
      },
    );
    expect(await readBack(device, 'a.bin')).toEqual({ size: 9 * MIB, differsAt: -1 });
    expect(fetched).toBe(0);
    await device.send('file/keep', { file, keep: false });
    expect((await device.send('storage/read', {})).kept.count).toBe(0);
    expect(await readBack(device, 'a.bin')).toEqual({ size: 9 * MIB, differsAt: -1 });
    expect(fetched).toBeGreaterThan(0);
  },
);

test('settings of transfers are kept, within their limits', async () => {
  const { device } = await atHome();
  expect(await device.send('settings/read', {})).toEqual({ parallel: 4, wifiOnly: false });
  await device.send('settings/write', { parallel: 9, wifiOnly: true });
  await device.reload();
  await device.send('boot', {});
  await expect.poll(() => device.send('settings/read', {})).toEqual({ parallel: 6, wifiOnly: true });
});
