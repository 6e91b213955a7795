import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devices, expect, test } from '@playwright/test';
import { writeEmptyFile } from '../support/files.ts';
import { inLongForm } from '../support/long-form.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { Person } from './person.ts';
import { quickDist } from './quick-app.ts';

// The ways in that need no other app: offline.spec.ts has the picker, install.spec.ts what other apps hand over.

let stack: Stack;
let folder: string;
test.beforeAll(async () => {
  stack = await startStack({ dist: quickDist() });
  folder = mkdtempSync(join(tmpdir(), 'halfkey-ways-in-'));
});
test.afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('files come in by being dropped on the window, and by being pasted', async ({ browser }) => {
  const mary = await Person.signedUp(browser, stack, 'mary');
  const { page } = mary;

  const dropped = join(folder, 'dropped.txt');
  writeFileSync(dropped, 'from the desk');
  const album = join(folder, 'Album');
  mkdirSync(album);
  writeFileSync(join(album, 'sea.txt'), 'blue');
  const cdp = await page.context().newCDPSession(page);
  const drag = async (files: string[], words = 'Drop to encrypt and upload') => {
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver'] as const)
      await cdp.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
    await expect(page.getByText(words)).toBeVisible();
    await cdp.send('Input.dispatchDragEvent', { type: 'drop', x: 400, y: 400, data });
    await expect(page.getByText(words)).toBeHidden();
  };
  await drag([dropped]);
  await expect(mary.row('dropped.txt')).toContainText('13 B');
  await expect(page.getByRole('region', { name: 'Transfers' })).toContainText('13 B');
  await drag([album]);
  await expect(mary.row('Album')).toBeVisible();
  await mary.openFolder('Album');
  await expect(mary.row('sea.txt')).toContainText('4 B');
  await mary.go('Drive');

  await mary.lockNow();
  await drag([writeEmptyFile(join(folder, 'dropped while locked.bin'), 2_000)]);
  await expect(page.getByRole('region', { name: 'Transfers' })).toContainText(
    '1 file is waiting for a code.',
  );
  await page.getByRole('button', { name: 'Unlock' }).click();
  await mary.typeCode();
  await expect(mary.row('dropped while locked.bin')).toBeVisible();
  // As long as its field is there, a paste is the field's.
  await expect(page.getByLabel('Authenticator code')).toBeHidden();

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(40, 30);
    canvas.getContext('2d')?.fillRect(5, 5, 20, 20);
    const image = await canvas.convertToBlob({ type: 'image/png' });
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': image })]);
  });
  await page.keyboard.press('Control+v');
  await expect(mary.row('image.png')).toBeVisible();

  // Where there is no drive yet: left to itself, the browser would go to the file.
  await mary.signOut();
  await page.getByRole('link', { name: 'Sign in' }).click();
  await expect(page.getByLabel('User name')).toBeVisible();
  const early = join(folder, 'dropped too early.txt');
  writeFileSync(early, 'not lost');
  await drag([early], 'Drop to add after you sign in');
  await expect(page.getByRole('status')).toContainText('Sign in to add 1 file.');
  await mary.typePassphrase();
  await mary.typeCode();
  await expect(mary.row('dropped too early.txt')).toContainText('8 B');
});

inLongForm(test)(
  'a phone’s camera gives photos that are all called the same, and each goes in',
  async ({ browser }) => {
    const phone = await Person.arrive(browser, stack, 'lise', devices['Pixel 7']);
    const { page } = phone;
    await phone.signUp();
    const camera = page.locator('label', { has: page.getByLabel('Take a photo') });
    const photo = (text: string) => ({
      name: 'image.jpg',
      mimeType: 'image/jpeg',
      buffer: Buffer.from(text),
    });
    const take = async (text: string) => {
      const opened = page.waitForEvent('filechooser');
      await camera.tap();
      const chooser = await opened;
      // What the phone makes of it: its camera instead of its files.
      expect(await chooser.element().getAttribute('capture')).toBe('environment');
      await chooser.setFiles(photo(text));
    };
    await take('a heron');
    await expect(phone.row('image.jpg')).toContainText('7 B');
    await phone.lockNow();
    await page.context().setOffline(true);
    await take('a kingfisher');
    await expect(page.getByText('Encrypted on this device. Will upload when you are online.')).toBeVisible();
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await phone.typeCode();
    await expect(phone.files.getByRole('row').filter({ hasText: /image.*\.jpg/ })).toHaveCount(2);
    await expect(phone.files).toContainText('12 B');
  },
);
