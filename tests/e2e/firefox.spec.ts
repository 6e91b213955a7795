import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { createFirefox } from '../support/firefox.ts';
import { inLongForm } from '../support/long-form.ts';
import { findFirefox } from '../support/program-path.mjs';
import { startStack, type Stack } from '../support/stack.ts';
import { MARKUP_PAYLOADS } from '../hostile/support/markup-payloads.ts';
import { FirefoxPerson } from './firefox-person.ts';
import { Operator } from './operator.ts';

// The same app in another engine, driven over WebDriver BiDi.

const path = findFirefox();
test.skip(path === undefined, 'no Firefox on this machine: install firefox-esr, or set FIREFOX_PATH');

const folder = mkdtempSync(join(tmpdir(), 'halfkey-firefox-source-'));
let stack: Stack;
test.beforeAll(async () => {
  stack = await startStack();
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

function makeFile(name: string, content: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** Waits until a download is there, whole. */
async function isSaved(path: string, content: Buffer): Promise<void> {
  await expect
    .poll(() => existsSync(path) && readFileSync(path).equals(content), { timeout: 60_000 })
    .toBe(true);
}

test('signs up, uploads, opens and downloads in Firefox', async () => {
  const firefox = createFirefox(path ?? '');
  const browser = await firefox.start();
  try {
    const person = new FirefoxPerson(await browser.newPage(), stack);
    await person.signUp('frida', 'quiet harbour lantern seven');
    const content = randomBytes(20 * 1024 * 1024 + 7);
    await person.upload(makeFile('Holiday.bin', content));
    await person.untilListed('Holiday.bin');
    await person.act('Holiday.bin', 'Download');
    await isSaved(join(firefox.downloads, 'Holiday.bin'), content);
    await person.upload(makeFile('Letter.txt', Buffer.from('dear you')));
    await person.untilListed('Letter.txt');
    await person.act('Letter.txt', 'Open');
    await person.untilSaid('dear you');
    await person.click('button', 'Close');
    await opensInPrivateWindow(person, content);
  } finally {
    await browser.close();
    firefox.remove();
  }
});

/** No account can be made in a private window, and who has one opens the file there. */
async function opensInPrivateWindow(frida: FirefoxPerson, content: Buffer): Promise<void> {
  const firefox = createFirefox(path ?? '', { isPrivate: true });
  const browser = await firefox.start();
  try {
    const person = frida.at(await browser.newPage());
    await person.open('/sign-up');
    await person.untilSaid('This looks like a private window');
    await person.signIn('frida', 'quiet harbour lantern seven');
    await person.act('Holiday.bin', 'Download');
    await isSaved(join(firefox.downloads, 'Holiday.bin'), content);
    await person.upload(makeFile('Note.bin', randomBytes(7)));
    await person.untilSaid('This looks like a private window');
  } finally {
    await browser.close();
    firefox.remove();
  }
}

inLongForm(test)('takes a file in without a network, and brings it up after a restart', async () => {
  const firefox = createFirefox(path ?? '');
  let browser = await firefox.start();
  try {
    const before = new FirefoxPerson(await browser.newPage(), stack);
    await before.signUp('greta', 'quiet harbour lantern seven');
    await before.click('button', 'Lock now');
    await stack.broker.halt();
    await stack.s3.halt();
    const content = randomBytes(20 * 1024 * 1024 + 7);
    await before.upload(makeFile('Diary.bin', content));
    await before.untilSaid('Encrypted on this device. The server isn’t answering.');
    await browser.close();

    await stack.s3.resume();
    await stack.broker.resume();
    browser = await firefox.start();
    const after = before.at(await browser.newPage());
    await after.open();
    await after.click('button', 'Unlock');
    await after.typeCode();
    await after.untilListed('Diary.bin');
    await after.act('Diary.bin', 'Download');
    await isSaved(join(firefox.downloads, 'Diary.bin'), content);
  } finally {
    await browser.close();
    firefox.remove();
  }
});

inLongForm(test)('a download whose last bytes were altered is no file in Firefox', async () => {
  const firefox = createFirefox(path ?? '');
  const browser = await firefox.start();
  const operator = new Operator(stack);
  try {
    const person = new FirefoxPerson(await browser.newPage(), stack);
    await person.signUp('ida', 'quiet harbour lantern seven');
    const before = await operator.blobs();
    const content = randomBytes(9_000_000);
    await person.upload(makeFile('Letter.bin', content));
    await person.untilListed('Letter.bin');
    const [blob = ''] = (await operator.blobs()).filter((key) => !before.includes(key));
    const altered = await operator.read(blob);
    altered[altered.length - 20] = (altered[altered.length - 20] ?? 0) ^ 1;
    await operator.overwrite(blob, altered);
    await person.act('Letter.bin', 'Download');
    await person.untilSaid('This file is damaged');
    // What it had begun with goes, or says by its name that it is a part.
    await expect
      .poll(() => {
        const names = readdirSync(firefox.downloads).filter((name) => !name.endsWith('.part'));
        return names.filter((name) => statSync(join(firefox.downloads, name)).size > 0);
      })
      .toEqual([]);
  } finally {
    await browser.close();
    firefox.remove();
  }
});

inLongForm(test)('a hundred names of markup are names in Firefox', async () => {
  const firefox = createFirefox(path ?? '');
  const browser = await firefox.start();
  try {
    const page = await browser.newPage();
    const alarms: string[] = [];
    page.on('dialog', (dialog) => {
      alarms.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/Content-Security-Policy|TrustedHTML/.test(message.text())) alarms.push(message.text());
    });
    const person = new FirefoxPerson(page, stack);
    await person.signUp('mallory', 'quiet harbour lantern seven');
    await person.offer(MARKUP_PAYLOADS.map((name) => ({ name, text: `content of ${name}` })));
    for (const name of MARKUP_PAYLOADS.slice(-3)) {
      await person.filter(name);
      await person.openMenu(name);
      await page.keyboard.press('Escape');
    }
    await person.filter('');
    const injected = await page.evaluate(() => ({
      scripts: [...document.scripts].filter(({ text }) => text.includes('alert')).length,
      handlers: [...document.querySelectorAll('*')].filter((element) =>
        [...element.attributes].some(({ name }) => name.startsWith('on')),
      ).length,
    }));
    expect(injected).toEqual({ scripts: 0, handlers: 0 });
    expect(alarms).toEqual([]);
  } finally {
    await browser.close();
    firefox.remove();
  }
});
