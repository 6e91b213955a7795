import { expect, test } from 'vitest';
import { Authenticator } from '../support/authenticator.ts';
import { setUpWorlds } from './people.ts';

// Two tabs of one profile: each has a worker, and keys, of its own.
const CONTENT = 'what only its owner reads\n';
const worlds = setUpWorlds();

test('a grant opens the tab that it was bought in, and Lock now locks all of them', async () => {
  const device = await worlds.newDevice();
  const { factor } = await worlds.signUp(device);
  await device.upload('one.txt', CONTENT);
  const tab = await worlds.newTab(device);
  await tab.untilPhase('locked');
  const file = await tab.file('one.txt');
  expect(await tab.refused('file/preview', { file })).toBe('locked');
  await tab.send('unlock', { factor: factor() });
  await tab.untilPhase('open');
  expect(await tab.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });
  expect(await device.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });

  await device.send('lock', {});
  for (const each of [device, tab]) {
    await each.untilPhase('locked');
    expect(await each.refused('file/preview', { file })).toBe('locked');
    expect(await each.names()).toEqual(['one.txt']);
  }
  // A second one brings nothing back.
  await tab.send('lock', {});
  await tab.send('unlock', { factor: factor() });
  await tab.untilPhase('open');
  expect(await device.last('phase')).toMatchObject({
    phase: { phase: 'locked' },
  });
});

test('a device that is signed out of in one tab is in all, with nothing left to any', async () => {
  const device = await worlds.newDevice();
  const { factor } = await worlds.signUp(device);
  await device.upload('one.txt', CONTENT);
  const tab = await worlds.newTab(device);
  await tab.send('unlock', { factor: factor() });
  await tab.untilPhase('open');
  await device.send('sign-out', {});
  for (const each of [device, tab]) {
    await each.untilPhase('signed-out');
    expect(await each.names()).toEqual([]);
    expect(await each.refused('entry/rename', { entry: 'x', name: 'y' })).toBe('session_missing');
    expect(await each.refused('head/compare', { phrase: 'x' })).toBe('session_missing');
  }
  expect(await tab.page.evaluate(() => indexedDB.databases())).toEqual([]);
});

test('a head that was printed is recognised, and another is not', async () => {
  const device = await worlds.newDevice();
  const { totpSecret } = await device.send('sign-up/start', {
    userName: 'printer',
    passphrase: 'zebra-quick-violin-under-major-pond',
  });
  const code = await new Authenticator(totpSecret, worlds.stack.clock).code();
  const { headPhrase } = await device.send('sign-up/verify', { code });
  await device.upload('one.txt', CONTENT);
  const compare = async (phrase: string) => (await device.send('head/compare', { phrase })).verdict;
  expect(await compare(headPhrase)).toBe('seen');
  expect(await compare(headPhrase.toUpperCase().replaceAll(' ', '  ').replace('·', ':'))).toBe('seen');
  const [, tail = ''] = headPhrase.split(' · ');
  const mistyped = (tail.startsWith('a') ? 'b' : 'a') + tail.slice(1);
  expect(await compare(`0 · ${mistyped}`)).toBe('other');
  expect(await compare(`1 · ${tail}`)).toBe('other');
  expect(await compare(`4000 · ${tail}`)).toBe('beyond');
  for (const phrase of ['', 'hello', '0', tail, `0 · ${tail}x`, `0 · ${tail.slice(1)}`, `x ${tail}`]) {
    expect(await device.refused('head/compare', { phrase }), phrase).toBe('input_malformed');
  }
  await device.context.route('**/api/**', (route) => route.abort());
  expect(await device.refused('head/compare', { phrase: headPhrase })).toBe('broker_unreachable');
});

test('tabs of one profile listen by one stream, and all hear of what is new', async () => {
  const device = await worlds.newDevice();
  let streams = 0;
  device.context.on('request', (request) => (streams += request.url().endsWith('/events') ? 1 : 0));
  await worlds.signUp(device);
  const tabs = [await worlds.newTab(device), await worlds.newTab(device)];
  await device.upload('one.txt', CONTENT);
  for (const tab of tabs) await expect.poll(() => tab.names(), { timeout: 20_000 }).toEqual(['one.txt']);
  expect(streams).toBe(1);
});
