import { beforeEach, expect, test } from 'vitest';
import { inLongForm, isLongForm } from '../support/long-form.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import { passOn } from './pass-on.ts';
import { setUpWorlds } from './people.ts';

declare const bare: Bare;

// Transfers whose requests are cut, answered wrongly or called off at the worst moments.
const TWO_PARTS_BYTES = 9 * 1024 * 1024;
/** On a busy machine: passphrases are stretched at length. */
const SIGN_UP_MS = 60_000;
const worlds = setUpWorlds();
let device: Device;

beforeEach(async () => {
  device = await worlds.newDevice();
  await worlds.signUp(device);
}, SIGN_UP_MS);

/** Adds a file of two parts, which is made where it is needed: so many bytes are seconds on the way to the browser. */
function addTwoParts(name: string): Promise<void> {
  return device.page.evaluate(
    async ({ name, sizeBytes }) => {
      await bare.send('upload/add', {
        files: [{ source: new File([new Uint8Array(sizeBytes).fill(113)], name), folder: '' }],
      });
    },
    { name, sizeBytes: TWO_PARTS_BYTES },
  );
}

function addShort(name: string): Promise<void> {
  return device.page.evaluate(async (named) => {
    await bare.send('upload/add', { files: [{ source: new File(['short'], named), folder: '' }] });
  }, name);
}

/** Reads a file back whole, into the private file system. */
async function sizeOf(name: string): Promise<number | undefined> {
  const file = await device.file(name);
  return device.page.evaluate(async (id) => {
    const { result } = await bare.send('download/write', { file: id, form: 'plain' });
    return (result as { opfs?: File } | undefined)?.opfs?.size;
  }, file);
}

const problem = (status: number, code: string) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: `about:${code}`, title: code, status, code }),
});

test('a completion whose answer is lost, and that is under way at the next try, is waited for', async () => {
  let completions = 0;
  await device.context.route('**/uploads/complete', async (route) => {
    completions += 1;
    if (completions === 1) {
      await passOn(route, worlds.stack.origin);
      await route.abort();
    } else if (completions === 2) await route.fulfill(problem(404, 'upload_lost'));
    else await route.fulfill({ response: await passOn(route, worlds.stack.origin) });
  });
  await addTwoParts('large.bin');
  await device.until('transfer', ({ transfer }) => transfer.phase === 'done');
  expect(completions).toBe(3);
  expect(await sizeOf('large.bin')).toBe(TWO_PARTS_BYTES);
});

inLongForm(test)(
  'an upload that S3 says it has lost, and that came about all the same, is not sent again',
  async () => {
    const blobs: unknown[] = [];
    let puts = 0;
    await device.context.route('**/uploads/complete', async (route) => {
      blobs.push((route.request().postDataJSON() as { blob: unknown }).blob);
      const response = await passOn(route, worlds.stack.origin);
      await (blobs.length > 1 ? route.fulfill({ response }) : route.fulfill(problem(404, 'upload_lost')));
    });
    device.page.on('request', (request) => (puts += request.method() === 'PUT' ? 1 : 0));
    await addTwoParts('large.bin');
    await device.until('transfer', ({ transfer }) => transfer.phase === 'done');
    expect(new Set(blobs).size).toBe(1);
    expect(puts).toBe(2);
    expect(await sizeOf('large.bin')).toBe(TWO_PARTS_BYTES);
  },
);

test('an upload that S3 has lost goes up anew from this device', async () => {
  let lost = false;
  await device.context.route('**/uploads/complete', async (route) => {
    if (lost) {
      await route.fulfill({ response: await passOn(route, worlds.stack.origin) });
      return;
    }
    lost = true;
    const { blob, uploadId } = route.request().postDataJSON() as { blob: string; uploadId: string };
    const url = route
      .request()
      .url()
      .replace(/complete$/, 'abort');
    await passOn(route, worlds.stack.origin, { url, postData: JSON.stringify({ blob, uploadId }) });
    await route.fulfill({ response: await passOn(route, worlds.stack.origin) });
  });
  await addTwoParts('large.bin');
  await device.until('transfer', ({ transfer }) => transfer.phase === 'done');
  expect(await sizeOf('large.bin')).toBe(TWO_PARTS_BYTES);
});

inLongForm(test.each(['already_exists', 'upload_mismatch']))(
  'an upload that ended in %s fails, and is whole at the next try',
  async (code) => {
    let completions = 0;
    await device.context.route('**/uploads/complete', async (route) => {
      completions += 1;
      const response = await passOn(route, worlds.stack.origin); // It comes about all the same.
      await (completions > 1 ? route.fulfill({ response }) : route.fulfill(problem(409, code)));
    });
    await addTwoParts('large.bin');
    await device.until('transfer', ({ transfer }) => transfer.phase === 'failed');
    const failed = await device.last('transfer');
    expect(failed?.transfer.error?.code).toBe(code);
    await device.send('transfer/retry', { transfer: failed?.transfer.transfer ?? '' });
    await device.until('transfer', ({ transfer }) => transfer.phase === 'done');
    expect(await sizeOf('large.bin')).toBe(TWO_PARTS_BYTES);
  },
);

test.each([...(isLongForm ? (['sign-out'] as const) : []), 'lock' as const])(
  'nothing is said of a download after %s but its end',
  async (end) => {
    await device.upload('secret name.bin', 'content');
    const file = await device.file('secret name.bin');
    // Nobody pulls: the download stands still.
    await device.page.evaluate((id) => bare.send('download/stream', { file: id, form: 'plain' }), file);
    await device.until('transfer', ({ transfer }) => transfer.phase === 'downloading');
    await device.send(end, {});
    if (end === 'lock') {
      await device.until('transfer', ({ transfer }) => transfer.error?.code === 'locked');
      return;
    }
    await device.untilPhase('signed-out');
    await device.send('passphrase/generate', {}); // Whatever was still to be said has been by then.
    const said = (await device.reports()).filter(({ kind }) => kind.startsWith('transfer'));
    expect(said.findLastIndex(({ kind }) => kind === 'transfer-gone')).toBe(said.length - 1);
  },
);

inLongForm(test)(
  'a download that rests in the private file system goes when it is dismissed, or with its tab',
  async () => {
    await device.upload('a.txt', 'content');
    const downloads = () =>
      device.page.evaluate(async () => {
        let count = 0;
        for await (const name of (await navigator.storage.getDirectory()).keys())
          if (name.startsWith('download-')) count += 1;
        return count;
      });
    await sizeOf('a.txt');
    await sizeOf('a.txt');
    expect(await downloads()).toBe(2);
    const last = await device.last('transfer');
    await device.send('transfer/dismiss', { transfer: last?.transfer.transfer ?? '' });
    await expect.poll(downloads).toBe(1);
    await device.reload();
    await device.send('boot', {});
    await expect.poll(downloads).toBe(0);
  },
);

test('a file that is being locked away is not opened after the lock', async () => {
  await device.upload('a.txt', 'content');
  const file = await device.file('a.txt');
  let letGo: () => void = () => undefined;
  const locked = new Promise<void>((resolve) => (letGo = resolve));
  await device.context.route('**/keys/release', async (route) => {
    const response = await passOn(route, worlds.stack.origin);
    await locked;
    await route.fulfill({ response }).catch(() => undefined); // Called off by then.
  });
  const asked = device.page.waitForRequest('**/keys/release');
  const opening = device.refused('file/preview', { file });
  await asked;
  await device.send('lock', {});
  letGo();
  expect(await opening).toBe('locked');
});

inLongForm(test)(
  'a download for which the device has no place fails, and is not left under way',
  async () => {
    await device.upload('a.txt', 'content');
    const file = await device.file('a.txt');
    const code = await device.page.evaluate(async (id) => {
      const root = await navigator.storage.getDirectory();
      const handle = await root.getFileHandle('gone', { create: true });
      await root.removeEntry('gone');
      await root.getDirectoryHandle('gone', { create: true }); // A folder stands where the file was.
      return (await bare.send('download/write', { file: id, form: 'plain', handle })).code;
    }, file);
    expect(code).toBe('download_cut');
    await device.until('transfer', ({ transfer }) => transfer.phase === 'failed');
  },
);

inLongForm(test)(
  'a PUT that the store refuses is not sent again and again, and its reason is told',
  async () => {
    let puts = 0;
    await device.context.route(/X-Amz-Signature/, async (route) => {
      if (route.request().method() !== 'PUT') return route.continue();
      puts += 1;
      await route.fulfill({
        status: 403,
        headers: { 'access-control-allow-origin': '*' },
        body: '<Error><Code>AccessDenied</Code></Error>',
      });
    });
    await addShort('refused.txt');
    await device.until('transfer', ({ transfer }) => transfer.phase === 'failed');
    expect((await device.last('transfer'))?.transfer).toMatchObject({
      canRetry: true,
      error: { code: 'store_refused', detail: { reason: 'AccessDenied' } },
    });
    expect(puts).toBe(3);
  },
);

test('an upload that waits says who does not answer, and when that one is tried again', async () => {
  await device.context.route(/X-Amz-Signature/, (route) => route.abort());
  await addShort('waits.txt');
  await device.until(
    'transfer',
    ({ transfer: { phase, holdup } }) =>
      phase === 'waiting-for-network' && holdup?.why === 'store' && holdup.nextTryAtMs !== undefined,
  );
  await device.context.unroute(/X-Amz-Signature/);
  await device.send('upload/wake', {});
  await device.until('transfer', ({ transfer: { phase } }) => phase === 'done');
});

test('a download that the browser is given is handed over, and no more is said of it', async () => {
  await device.upload('given.txt', 'content');
  expect(await sizeOf('given.txt')).toBe(7);
  await device.until(
    'transfer',
    ({ transfer: { direction, phase, isHandedOver } }) =>
      direction === 'down' && phase === 'done' && isHandedOver === true,
  );
});
