import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { isLongForm } from '../support/long-form.ts';
import { watchMemory } from '../support/memory.ts';
import { digestOf, writeRandomFile } from '../support/files.ts';
import { Person } from './person.ts';
import { startQuietBrowser, type QuietBrowser } from './quiet-browser.ts';
import { startStack, type Stack } from '../support/stack.ts';

const MIB = 1024 ** 2;
/** In the long form, 5 GB: the most that is promised. */
const SIZE_MIB = isLongForm ? 5 * 1024 : 300;
/** Of each way of the file. */
const PATIENCE_MS = isLongForm ? 20 * 60_000 : 240_000;
/** Half of the smaller file: what holds it whole at any moment, in any process, cannot stay below. */
const MOST_MIB = 150;

let stack: Stack;
let folder: string;
let browser: QuietBrowser;

test.beforeAll(async () => {
  stack = await startStack();
  folder = mkdtempSync(join(tmpdir(), 'halfkey-large-'));
  browser = await startQuietBrowser(stack.origin, join(folder, 'profile'), join(folder, 'downloads'));
});
test.afterAll(async () => {
  await browser.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks the page again and again until the expression is true. */
async function until(expression: string): Promise<void> {
  await expect.poll(() => browser.evaluate(expression), { timeout: PATIENCE_MS }).toBe(true);
}

function typeCode(code: string): string {
  return `(() => {
    const field = document.querySelector('input[autocomplete="one-time-code"]');
    field.focus();
    document.execCommand('insertText', false, '${code}');
  })()`;
}

const CLICK_DOWNLOAD = `(async () => {
  document.querySelector('button[aria-label="Actions for film.bin"]').click();
  const item = () => [...document.querySelectorAll('[role=menuitem]')].find((each) => each.textContent.trim() === 'Download');
  while (!item()) await new Promise((resolve) => setTimeout(resolve, 50));
  item().click();
  return true;
})()`;

test(`a file of ${String(SIZE_MIB)} MiB goes up and comes down whole, in memory that does not grow with it`, async () => {
  test.setTimeout(3 * PATIENCE_MS);
  const source = join(folder, 'film.bin');
  const digest = writeRandomFile(source, SIZE_MIB * MIB);
  const profile = join(folder, 'profile');
  const authenticator = await browser.attached(async (page) => {
    const person = new Person(page, stack, 'large', 'nineteen kites above the salt marsh');
    await person.signUp();
    return person.authenticator;
  });
  // A page, and a worker, that no tool has ever been attached to.
  await browser.evaluate('globalThis.isLeft = true; location.reload()');
  await until(`!globalThis.isLeft && document.querySelector('input[type=file]') !== null`);
  await browser.evaluate(
    `[...document.querySelectorAll('button')].find((each) => each.textContent.trim() === 'Unlock').click()`,
  );
  await until(`document.querySelector('input[autocomplete="one-time-code"]') !== null`);
  await browser.evaluate(typeCode((await authenticator?.code()) ?? ''));
  await until(`document.querySelector('[role=status][aria-label=Lock]').textContent.startsWith('Open')`);

  const goingUp = watchMemory(profile);
  await browser.pick('input[type=file]', source);
  await until(
    `document.querySelector('[aria-label="Transfers"]')?.textContent.includes('film.bin') === true`,
  );
  await until(`document.querySelector('[aria-label="Actions for film.bin"]') !== null`);
  expect(goingUp.stop()).toBeLessThan(MOST_MIB);

  const comingDown = watchMemory(profile);
  await browser.evaluate(CLICK_DOWNLOAD);
  const target = join(folder, 'downloads', 'film.bin');
  await expect
    .poll(() => (existsSync(target) ? statSync(target).size : 0), { timeout: PATIENCE_MS })
    .toBe(SIZE_MIB * MIB);
  expect(comingDown.stop()).toBeLessThan(MOST_MIB);
  expect(await digestOf(target)).toBe(digest);
});
