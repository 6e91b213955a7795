import { describe, expect, test } from 'vitest';
import { inLongForm, isLongForm } from '../support/long-form.ts';
import { Authenticator } from '../support/authenticator.ts';
import type { Bare } from './bare/main.ts';
import { Device } from './device.ts';
import { passOn } from './pass-on.ts';
import { setUpWorlds } from './people.ts';

declare const bare: Bare;

// The worker in a real browser against the real broker and local cloud; the page does nothing but pass commands on.
const WRONG = { factor: { code: '000000' } };
const CONTENT = 'what only its owner reads\n'.repeat(100);
const worlds = setUpWorlds();

describe('an account', () => {
  test('is made, locks at a reload, opens with a code and shows its names all the time', async () => {
    const device = await worlds.newDevice();
    const { factor, backupCodes, words } = await worlds.signUp(device);
    expect(words.split(' ')).toHaveLength(24);
    expect(new Set(backupCodes).size).toBe(10);
    await device.untilPhase('open');
    await device.upload('one.txt', CONTENT);

    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
    expect(await device.names()).toEqual(['one.txt']);
    const file = await device.file('one.txt');
    expect(await device.refused('file/preview', { file })).toBe('locked');
    expect(await device.refused('unlock', { factor: { code: '12345' } })).toBe('code_malformed');
    expect(await device.refused('unlock', WRONG)).toBe('code_wrong');
    await device.send('unlock', { factor: factor() });
    await device.untilPhase('open');
    expect(await device.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });

    await device.send('lock', {});
    await device.untilPhase('locked');
    expect(await device.refused('file/preview', { file })).toBe('locked');
    expect(await device.refused('unlock', { factor: { backupCode: backupCodes[0] ?? '' } })).toBe(
      'backup_code_refused',
    );
  });

  test('is not made with a weak passphrase, a malformed or taken name, or a wrong first code', async () => {
    const device = await worlds.newDevice();
    const { userName } = await worlds.signUp(device);
    const other = await worlds.newDevice();
    const passphrase = 'zebra-quick-violin-under-major-pond';
    const start = (name: string, text = passphrase) =>
      other.refused('sign-up/start', { userName: name, passphrase: text });
    expect(await start('somebody else')).toBe('name_malformed');
    expect(await start('somebody', 'password1')).toBe('passphrase_weak');
    expect(await start(userName.toUpperCase())).toBe('name_taken');
    expect(await other.refused('sign-up/verify', { code: '123456' })).toBe('session_missing');
    const { totpSecret } = await other.send('sign-up/start', { userName: `${userName}-2`, passphrase });
    const authenticator = new Authenticator(totpSecret, worlds.stack.clock);
    expect(await other.refused('sign-up/verify', { code: await authenticator.wrongCode() })).toBe(
      'code_wrong',
    );
    await other.send('sign-up/verify', { code: await authenticator.code() });
    await other.untilPhase('open');
  });

  test('opens on a second device, and each sees what the other does', async () => {
    const first = await worlds.newDevice();
    const { userName, passphrase, factor } = await worlds.signUp(first);
    await first.upload('one.txt', CONTENT);
    const second = await worlds.newDevice();
    const start = (name: string, text: string) =>
      second.refused('sign-in/start', { userName: name, passphrase: text });
    expect(await start(userName, `${passphrase} `)).toBe('login_refused');
    expect(await start(`${userName}x`, passphrase)).toBe('login_refused');
    expect(await second.refused('sign-in/code', WRONG)).toBe('session_missing');
    await second.send('sign-in/start', { userName: userName.toUpperCase(), passphrase });
    expect(await second.refused('sign-in/code', WRONG)).toBe('code_wrong');
    await second.send('sign-in/code', { factor: factor() });
    await second.untilPhase('open');
    expect(await second.names()).toEqual(['one.txt']);
    const file = await second.file('one.txt');
    expect(await second.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });

    await second.upload('two.txt', CONTENT);
    await first.until('view', ({ files }) => files === 2);
    expect(await first.names()).toEqual(['one.txt', 'two.txt']);
    expect(await second.refused('entries/purge', { entries: [file], also: [], ...WRONG })).toBe('code_wrong');
    await second.send('entries/purge', { entries: [file], also: [], factor: factor() });
    await first.until('view', ({ files }) => files === 1);
    expect(await first.refused('file/preview', { file })).toBe('not_found');
  });

  test('is got back into by kit and code: every older session and the old passphrase end', async () => {
    const lost = await worlds.newDevice();
    const { userName, passphrase, words, factor } = await worlds.signUp(lost);
    await lost.upload('one.txt', CONTENT);
    const device = await worlds.newDevice();
    const next = (await device.send('passphrase/generate', {})).passphrase;
    const recover = (text: string, proposed: string) =>
      device.refused('recover', { words: text, passphrase: proposed, factor: { code: '000000' } });
    expect(await recover(words.slice(9), next)).toBe('recovery_words_malformed');
    expect(await recover(words, 'password1')).toBe('passphrase_weak');
    expect(await recover(words, next)).toBe('code_wrong');
    expect(await recover(`${'abandon '.repeat(23)}art`, next)).toBe('recovery_refused');

    await device.send('recover', { words: words.toUpperCase(), passphrase: next, factor: factor() });
    await device.untilPhase('open');
    const file = await device.file('one.txt');
    expect(await device.send('file/preview', { file })).toEqual({ kind: 'text', text: CONTENT });

    expect(await lost.refused('unlock', { factor: factor() })).toBe('session_missing');
    await lost.untilPhase('signed-out');
    expect(await lost.refused('sign-in/start', { userName, passphrase })).toBe('login_refused');
    await lost.send('sign-in/start', { userName, passphrase: next });
    await lost.send('sign-in/code', { factor: factor() });
    await lost.untilPhase('open');
    // The kit is still good, and the keyring goes one version on each time.
    const again = (await device.send('passphrase/generate', {})).passphrase;
    await device.send('recover', { words, passphrase: again, factor: factor() });
    await device.untilPhase('open');
  });
});

describe('a connection that breaks', () => {
  /** Lets the first request of a path go unanswered, after the broker has acted on it or before. */
  async function breakOnce(device: Device, path: string, when: 'before' | 'after'): Promise<void> {
    await device.context.route(
      `**${path}`,
      async (route) => {
        if (when === 'after') await passOn(route, worlds.stack.origin);
        await route.abort();
      },
      { times: 1 },
    );
  }

  test.each([
    ['before the broker made the account', 'before', 'open'],
    // Playwright's request leaves its cookie: as when an answer is cut off behind its head.
    ['behind it', 'after', 'locked'],
  ] as const)('%s spends no second code, and the kit is not lost', async (_name, when, phase) => {
    const device = await worlds.newDevice();
    const { passphrase } = await device.send('passphrase/generate', {});
    const { totpSecret } = await device.send('sign-up/start', { userName: `broken-${when}`, passphrase });
    await breakOnce(device, '/api/signup/complete', when);
    const code = await new Authenticator(totpSecret, worlds.stack.clock).code();
    expect(await device.refused('sign-up/verify', { code })).toBe('broker_unreachable');
    const kit = await device.send('sign-up/verify', { code });
    expect(kit.recoveryWords).toHaveLength(24);
    await device.untilPhase(phase);
    if (phase === 'locked') await device.send('unlock', { factor: { backupCode: kit.backupCodes[0] ?? '' } });
    await device.upload('one.txt', CONTENT);
  });

  inLongForm(test)('behind the code of a sign-in spends no second one', async () => {
    const { userName, passphrase, factor } = await worlds.signUp(await worlds.newDevice());
    const device = await worlds.newDevice();
    await device.send('sign-in/start', { userName, passphrase });
    const once = { factor: factor() };
    await breakOnce(device, '/log?*', 'before');
    expect(await device.refused('sign-in/code', once)).toBe('broker_unreachable');
    await device.untilPhase('signed-out');
    await device.send('sign-in/code', once);
    await device.untilPhase('open');
    await device.upload('one.txt', CONTENT);
  });
});

describe('signing out', () => {
  test('leaves nothing on the device, in the other tab neither', async () => {
    const device = await worlds.newDevice();
    await worlds.signUp(device);
    await device.upload('one.txt', CONTENT);
    const tab = await Device.tab(device.context);
    expect(await tab.send('boot', {})).toEqual({ phase: 'locked' });
    expect(await tab.names()).toEqual(['one.txt']);

    await device.send('sign-out', {});
    await device.untilPhase('signed-out');
    await tab.untilPhase('signed-out');
    for (const each of [device, tab]) {
      expect(await each.names()).toEqual([]);
      expect(await each.refused('unlock', WRONG)).toBe('session_missing');
    }
    expect(await device.page.evaluate(() => indexedDB.databases())).toEqual([]);
    expect(tab.faults).toEqual([]);
    const somebody = await worlds.signUp(device);
    expect(somebody.words.split(' ')).toHaveLength(24);
    await device.untilPhase('open');
    expect(await device.names()).toEqual([]);
  });

  test('by the broker alone keeps the device: the same one signs in again, and another account starts anew', async () => {
    const device = await worlds.newDevice();
    const { userName, passphrase, factor } = await worlds.signUp(device);
    await device.upload('one.txt', CONTENT);
    const id = await device.deviceId();
    await device.context.clearCookies();
    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
    await device.untilPhase('signed-out');
    expect(await device.names()).toEqual([]);

    await device.send('sign-in/start', { userName, passphrase });
    await device.send('sign-in/code', { factor: factor() });
    await device.untilPhase('open');
    expect(await device.deviceId()).toBe(id);
    expect(await device.names()).toEqual(['one.txt']);

    await device.context.clearCookies();
    await device.reload();
    await device.send('boot', {});
    await device.untilPhase('signed-out');
    await worlds.signUp(device);
    await device.untilPhase('open');
    expect(await device.deviceId()).not.toBe(id);
    expect(await device.names()).toEqual([]);
  });
});

describe('without the broker', () => {
  test('names show from the device, and it is found again when it comes back', async () => {
    const device = await worlds.newDevice();
    const { factor } = await worlds.signUp(device);
    await device.upload('one.txt', CONTENT);
    await device.context.route('**/api/**', (route) => route.abort());
    await device.reload();
    expect(await device.send('boot', {})).toEqual({ phase: 'locked' });
    expect(await device.names()).toEqual(['one.txt']);
    await device.until('connection', ({ online }) => !online);
    expect(await device.refused('unlock', { factor: { code: '123456' } })).toBe('broker_unreachable');
    await device.context.unroute('**/api/**');
    await device.until('connection', ({ online }) => online);
    await device.send('unlock', { factor: factor() });
    await device.untilPhase('open');
  });

  test('making no more halves for a code, the device stays open, says so, and says it of what is added then', async () => {
    const device = await worlds.newDevice();
    const { factor } = await worlds.signUp(device);
    await device.untilPhase('open');
    await device.context.route('**/keys/generate', (route) =>
      route.fulfill({
        status: 403,
        contentType: 'application/problem+json',
        body: JSON.stringify({ type: 'about:blank', title: 'spent', status: 403, code: 'grant_spent' }),
      }),
    );
    const add = (name: string) =>
      device.page.evaluate(
        async (name) =>
          (await bare.send('upload/add', { files: [{ source: new File(['x'], name), folder: '' }] })).result,
        name,
      );
    expect(await add('one.txt')).toEqual({ beyondCode: 0 });
    await device.until('code-spent', () => true);
    await device.until('transfer', ({ transfer }) => transfer.phase === 'waiting-for-code');
    expect(await add('two.txt')).toEqual({ beyondCode: 1 });
    await device.context.unroute('**/keys/generate');
    await device.send('unlock', { factor: factor() });
    await expect.poll(() => device.names(), { timeout: 20_000 }).toEqual(['one.txt', 'two.txt']);
  });

  test.each([...(isLongForm ? ['grant_missing'] : []), 'grant_spent'])(
    'saying %s, the device is locked',
    async (code) => {
      const device = await worlds.newDevice();
      await worlds.signUp(device);
      await device.upload('one.txt', CONTENT);
      await device.context.route('**/keys/release', (route) =>
        route.fulfill({
          status: 403,
          contentType: 'application/problem+json',
          body: JSON.stringify({ type: 'about:blank', title: 'a code is needed', status: 403, code }),
        }),
      );
      await device.untilPhase('open');
      expect(await device.refused('file/preview', { file: await device.file('one.txt') })).toBe(code);
      await device.untilPhase('locked');
    },
  );
});
