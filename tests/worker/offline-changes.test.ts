import { describe, expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import type { Device } from './device.ts';
import { passOn } from './pass-on.ts';
import { setUpWorlds, type Person } from './people.ts';

// Names that are changed while the journal cannot be reached.
const worlds = setUpWorlds();

/** Two devices of a person, with two files. */
async function twoDevices(): Promise<{ device: Device; other: Device; person: Person }> {
  const device = await worlds.newDevice();
  const person = await worlds.signUp(device);
  await device.upload('one.txt', 'one');
  await device.upload('two.txt', 'two');
  const other = await worlds.newDevice();
  await worlds.signIn(other, person);
  return { device, other, person };
}

async function goOffline({ context }: Device): Promise<void> {
  await context.route('**/api/**', (route) => route.abort());
}

async function goOnline(device: Device): Promise<void> {
  await device.context.unrouteAll({ behavior: 'ignoreErrors' });
  await device.page.workers()[0]?.evaluate(() => globalThis.dispatchEvent(new Event('online')));
}

async function untilNames(device: Device, names: readonly string[]): Promise<void> {
  await expect.poll(() => device.names(), { timeout: 20_000 }).toEqual(names);
}

/** Whether a name is there soon. */
async function sees(device: Device, name: string): Promise<boolean> {
  const names = expect.poll(() => device.names(), { timeout: 5_000 });
  return names.toContain(name).then(
    () => true,
    () => false,
  );
}

async function pending(device: Device): Promise<string[]> {
  const { rows } = await device.send('view/rows', { from: 0, count: 100 });
  return rows.filter(({ isPending }) => isPending).map(({ name }) => name);
}

async function dropped(device: Device): Promise<string[]> {
  return (await device.dropped()).map(({ name, code }) => `${name}: ${code}`);
}

describe('a rename', () => {
  test('made locked and offline shows at once, outlives a reload, and reaches the others later', async () => {
    const { device, other } = await twoDevices();
    await device.send('lock', {});
    await goOffline(device);
    const file = await device.file('two.txt');
    await device.send('entry/rename', { entry: file, name: 'a new name.txt' });
    await untilNames(device, ['a new name.txt', 'one.txt']);
    expect(await pending(device)).toEqual(['a new name.txt']);

    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
    await untilNames(device, ['a new name.txt', 'one.txt']);
    expect(await pending(device)).toEqual(['a new name.txt']);
    expect(await other.names()).toEqual(['one.txt', 'two.txt']);

    await goOnline(device);
    await untilNames(other, ['a new name.txt', 'one.txt']);
    await expect.poll(() => pending(device), { timeout: 20_000 }).toEqual([]);
    expect(await device.names()).toEqual(['a new name.txt', 'one.txt']);
    expect(await dropped(device)).toEqual([]);
  });

  inLongForm(test)('made online is in the journal at once', async () => {
    const { device, other } = await twoDevices();
    const file = await device.file('one.txt');
    await device.send('entry/rename', { entry: file, name: 'a.txt' });
    await untilNames(other, ['a.txt', 'two.txt']);
    await expect.poll(() => pending(device), { timeout: 20_000 }).toEqual([]);
  });

  inLongForm(test)('to a name that is none, or of a file that is none, is refused', async () => {
    const { device } = await twoDevices();
    const file = await device.file('one.txt');
    for (const name of ['', '..', 'a/b', 'x'.repeat(256)]) {
      expect(await device.refused('entry/rename', { entry: file, name })).toBe('name_malformed');
    }
    const nobody = 'AAAAAAAAAAAAAAAAAAAAAA';
    expect(await device.refused('entry/rename', { entry: nobody, name: 'x' })).toBe('not_found');
  });

  inLongForm(test)('to a name that is taken gets the next free one', async () => {
    const { device, other } = await twoDevices();
    await device.send('entry/rename', { entry: await device.file('two.txt'), name: 'one.txt' });
    await untilNames(other, ['one (2).txt', 'one.txt']);
    await untilNames(device, ['one (2).txt', 'one.txt']);
  });

  test('whose reply was lost does not undo a newer one, not even one back to the old name', async () => {
    const { device, other } = await twoDevices();
    const file = await device.file('one.txt');
    let hasLanded = false;
    await device.context.route('**/api/**', async (route) => {
      const request = route.request();
      if (hasLanded) await route.abort();
      else if (request.method() === 'POST' && request.url().endsWith('/log')) {
        const response = await passOn(route, worlds.stack.origin);
        // What came too late for its place is written once more, and a device writes other entries too.
        hasLanded = response.ok() && (await sees(other, 'mine.txt'));
        if (hasLanded) await route.abort();
        else await route.fulfill({ response });
      } else await route.continue();
    });
    await device.send('entry/rename', { entry: file, name: 'mine.txt' });
    await untilNames(other, ['mine.txt', 'two.txt']);
    await device.reload(); // The tab goes before it has heard.
    await other.send('entry/rename', { entry: file, name: 'theirs.txt' });
    await other.send('entry/rename', { entry: file, name: 'one.txt' });
    await expect.poll(() => pending(other), { timeout: 20_000 }).toEqual([]);

    await device.send('boot', {});
    expect(await pending(device)).toEqual(['mine.txt']);
    await goOnline(device);
    await expect.poll(() => pending(device), { timeout: 20_000 }).toEqual([]);
    await untilNames(device, ['one.txt', 'two.txt']);
    expect(await other.names()).toEqual(['one.txt', 'two.txt']);
  });

  test.each([
    ['deleted for good', 'not_found', ['two.txt']],
    ['renamed elsewhere', 'head_changed', ['theirs.txt', 'two.txt']],
  ] as const)(
    'of a file that was %s meanwhile is given up, and told until somebody has heard',
    async (what, code, names) => {
      const { device, other, person } = await twoDevices();
      const file = await device.file('one.txt');
      await goOffline(device);
      await device.send('entry/rename', { entry: file, name: 'mine.txt' });
      if (what === 'renamed elsewhere') await other.send('entry/rename', { entry: file, name: 'theirs.txt' });
      else await other.send('entries/purge', { entries: [file], also: [], factor: person.factor() });
      await untilNames(other, names);
      await expect.poll(() => pending(other), { timeout: 20_000 }).toEqual([]);
      await goOnline(device);
      const told = [`mine.txt: ${code}`];
      await expect.poll(() => dropped(device), { timeout: 20_000 }).toEqual(told);
      await untilNames(device, names);
      expect(await pending(device)).toEqual([]);

      await device.reload();
      await device.send('boot', {});
      await expect.poll(() => dropped(device)).toEqual(told);
      const tab = await worlds.newTab(device);
      await expect.poll(() => dropped(tab)).toEqual(told);
      const keys = (await tab.dropped()).map(({ key }) => key);
      await tab.send('changes/heard', { keys });
      for (const each of [tab, device]) await expect.poll(() => dropped(each)).toEqual([]);
      await device.reload();
      await device.send('boot', {});
      await untilNames(device, names);
      expect(await dropped(device)).toEqual([]);
    },
  );
});

describe('two tabs', () => {
  test('show the same changes, and write each of them once', async () => {
    const { device, other } = await twoDevices();
    const tab = await worlds.newTab(device);
    await untilNames(tab, ['one.txt', 'two.txt']);
    let appends = 0;
    device.context.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/log')) appends++;
    });
    await goOffline(device);
    await device.send('entry/rename', { entry: await device.file('one.txt'), name: 'a.txt' });
    await untilNames(tab, ['a.txt', 'two.txt']);
    await tab.send('entry/rename', { entry: await tab.file('two.txt'), name: 'b.txt' });
    await untilNames(device, ['a.txt', 'b.txt']);
    appends = 0;
    await device.context.unrouteAll({ behavior: 'ignoreErrors' });
    for (const each of [device, tab]) {
      await each.page.workers()[0]?.evaluate(() => globalThis.dispatchEvent(new Event('online')));
    }
    await untilNames(other, ['a.txt', 'b.txt']);
    for (const each of [device, tab]) {
      await expect.poll(() => pending(each), { timeout: 20_000 }).toEqual([]);
      expect(await dropped(each)).toEqual([]);
    }
    expect(appends).toBe(1);
  });
});
