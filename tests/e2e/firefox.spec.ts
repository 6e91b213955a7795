import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { createFirefox, findFirefox } from '../support/firefox.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { FirefoxPerson } from './firefox-person.ts';

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

test('signs up, uploads and downloads in Firefox', async () => {
  const firefox = createFirefox(path ?? '');
  const browser = await firefox.start();
  try {
    const person = new FirefoxPerson(await browser.newPage(), stack.origin);
    await person.signUp('frida', 'quiet harbour lantern seven');
    const content = randomBytes(20 * 1024 * 1024 + 7);
    await person.upload(makeFile('Holiday.bin', content));
    await person.untilListed('Holiday.bin');
    await person.act('Holiday.bin', 'Download');
    await isSaved(join(firefox.downloads, 'Holiday.bin'), content);
  } finally {
    await browser.close();
    firefox.remove();
  }
});

test('takes a file in without a network, and brings it up after a restart', async () => {
  const firefox = createFirefox(path ?? '');
  let browser = await firefox.start();
  try {
    const before = new FirefoxPerson(await browser.newPage(), stack.origin);
    await before.signUp('greta', 'quiet harbour lantern seven');
    await before.click('button', 'Lock now');
    await stack.broker.halt();
    await stack.s3.halt();
    const content = randomBytes(20 * 1024 * 1024 + 7);
    await before.upload(makeFile('Diary.bin', content));
    await before.untilSaid('Will upload when you are online.');
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
