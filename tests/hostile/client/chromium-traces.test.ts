import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright';
import { afterAll, beforeAll, expect } from 'vitest';
import { findSecrets, type Secret } from '../../e2e/find-secrets.ts';
import { Person } from '../../e2e/person.ts';
import { chromiumPath, CHROMIUM_ARGS } from '../../support/chromium.mjs';
import { startAppStack, type AppStack } from '../support/app-stack.ts';
import { row } from '../support/row.ts';

// What a browser keeps by itself of somebody who used the app: where they were, what they typed, what was copied.

const START_MS = 240_000;
const PASSPHRASE = 'seven copper kites above the salt marsh';
const NEW_PASSPHRASE = 'nine paper boats beneath the winter bridge';
const FILE_NAME = 'heron-diary-77f0.txt';
const FILTER = 'heron-di';
const CLIPBOARD = 'what was there before';

let stack: AppStack;
let folder: string;
let context: BrowserContext;

beforeAll(async () => {
  stack = await startAppStack();
  folder = mkdtempSync(join(tmpdir(), 'halfkey-traces-'));
  context = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath(),
    args: CHROMIUM_ARGS,
    baseURL: stack.origin,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
}, START_MS);
afterAll(async () => {
  await context.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}, START_MS);

/** A field as a browser that fills in forms sees it. */
interface Field {
  readonly label: string;
  readonly autocomplete: string;
  readonly isChecked: boolean;
}

/** What may be typed into on this screen: which of it a browser may remember, and send to a spelling service. */
function fieldsOf(page: Page): Promise<Field[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('input, textarea')]
      .filter(({ type }) => type !== 'file' && type !== 'checkbox')
      .map((field) => ({
        label: field.getAttribute('aria-label') ?? field.labels?.[0]?.textContent.trim() ?? '',
        autocomplete: field.autocomplete,
        isChecked: field.spellcheck,
      })),
  );
}

/** Every file of the profile, as a thief or a backup has them. */
function disk(): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

row(
  'H10',
  {
    attack: 'what a browser remembers of addresses, forms and the clipboard',
    tried:
      'signing up, filtering, going back in with the words; then its history, what it may fill in, its clipboard, and every file of the profile',
  },
  async (t) => {
    const page = await context.newPage();
    const ada = new Person(page, stack, 'ada', PASSPHRASE);
    const fields: Field[] = [];
    const look = async () => fields.push(...(await fieldsOf(page)));
    await page.goto('/');
    await page.evaluate((text) => navigator.clipboard.writeText(text), CLIPBOARD);
    await page.goto('/sign-up');
    await page.getByRole('button', { name: 'Use a generated passphrase' }).click();
    const generated = page.getByLabel('Passphrase', { exact: true });
    await expect.poll(() => generated.inputValue()).not.toBe('');
    const madeUp = await generated.inputValue();
    await look();
    await ada.signUp();
    const name = { name: FILE_NAME, mimeType: 'text/plain', buffer: Buffer.from('dear diary') };
    await ada.upload(name);
    await page.getByRole('searchbox', { name: 'Search your drive' }).fill(FILTER);
    await ada.row(FILE_NAME).waitFor();
    await look();
    await ada.act(FILE_NAME, 'Rename…');
    await page.getByLabel('New name').waitFor();
    await look();
    await page.keyboard.press('Escape');
    await ada.signOut();

    await page.goto('/sign-in');
    await page.getByLabel('User name').waitFor();
    await look();
    await page.getByText('I lost my passphrase').click();
    await page.getByLabel('Recovery words').fill(ada.recoveryWords);
    await page.getByLabel('New passphrase').fill(NEW_PASSPHRASE);
    await page.getByRole('button', { name: 'Show' }).click();
    await look();
    await ada.typeCode();
    await ada.row(FILE_NAME).waitFor();

    const secret = (what: string, text: string): Secret => ({ name: what, bytes: Buffer.from(text) });
    const secrets = [
      secret('passphrase', PASSPHRASE),
      secret('new passphrase', NEW_PASSPHRASE),
      secret('generated passphrase', madeUp),
      secret('recovery words', ada.recoveryWords),
      secret('authenticator secret', ada.authenticator?.secret ?? ''),
      ...ada.backupCodes.map((code, index) => secret(`backup code ${String(index)}`, code)),
      secret('file name', FILE_NAME),
      secret('filter', FILTER),
    ];
    expect(secrets.every(({ bytes }) => bytes.length > 7)).toBe(true);

    const devtools = await context.newCDPSession(page);
    const { entries } = await devtools.send('Page.getNavigationHistory');
    expect(entries.length).toBeGreaterThan(4);
    for (const { url, title } of entries) {
      const { origin, pathname, search, hash } = new URL(url);
      if (origin === 'null') continue; // The empty tab.
      expect([origin, search, hash]).toEqual([stack.origin, '', '']);
      expect(pathname).toMatch(/^\/(sign-up|sign-in|recover)?$/);
      expect(findSecrets(Buffer.from(title), secrets)).toEqual([]);
      t.vary(1);
    }
    const state = await page.evaluate(() => JSON.stringify(history.state));
    expect(findSecrets(Buffer.from(state), secrets)).toEqual([]);
    t.held('an address is a path of three words, without a query or a fragment');

    expect(fields.length).toBeGreaterThan(7);
    for (const { label, autocomplete, isChecked } of fields) {
      expect([label, isChecked]).toEqual([label, false]);
      expect([label, autocomplete]).toEqual([
        label,
        expect.stringMatching(/^(off|username|current-password|new-password|one-time-code)$/),
      ]);
      t.vary(1);
    }
    t.held('no field is spelled out elsewhere, and none but a name or a passphrase is to be remembered');

    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(CLIPBOARD);
    t.vary(1);
    t.held('nothing is copied unasked');

    await context.close();
    const left = disk();
    // The search finds what the browser does keep.
    expect(findSecrets(left, [secret('address', `${stack.origin}/recover`)])).toEqual(['address']);
    expect(findSecrets(left, secrets)).toEqual([]);
    t.vary(secrets.length);
    t.held(`none of ${String(secrets.length)} secrets in any file of the profile`);
  },
);
