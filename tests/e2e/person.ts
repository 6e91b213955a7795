import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  expect,
  type Browser,
  type BrowserContextOptions,
  type Download,
  type Locator,
  type Page,
} from '@playwright/test';
import { shownName } from '../../src/lib/shown-name.ts';
import { Authenticator } from '../support/authenticator.ts';
import type { Servers } from '../support/stack.ts';

/** Good enough for everybody who is not about passphrases. */
const PASSPHRASE = 'copper lantern drifts over nine quiet harbours';

/** Playwright hands bytes over as text, a second per megabyte: what is larger is picked from the disk. */
const LARGE_BYTES = 100_000;

/** A file that a test makes up. */
export interface TestFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Somebody at a browser: does what people do, by roles and labels alone. */
export class Person {
  readonly page: Page;
  readonly userName: string;
  readonly #servers: Servers;
  passphrase: string;
  authenticator: Authenticator | undefined;
  recoveryWords = '';
  backupCodes: string[] = [];

  constructor(page: Page, servers: Servers, userName: string, passphrase = PASSPHRASE) {
    this.page = page;
    this.#servers = servers;
    this.userName = userName;
    this.passphrase = passphrase;
    // Playwright takes the browser's picker over some time after somebody listens for it: one that opens at once would
    // be missed.
    page.on('filechooser', () => undefined);
  }

  /**
   * Somebody with a browser profile of their own: cookies, storage and service worker are theirs alone.
   * @param device what Playwright is to pretend about it
   */
  static async arrive(
    browser: Browser,
    servers: Servers,
    userName: string,
    device: BrowserContextOptions = {},
  ): Promise<Person> {
    const context = await browser.newContext({ ...device, baseURL: servers.origin });
    return new Person(await context.newPage(), servers, userName);
  }

  /** Somebody new, with an empty drive before them. */
  static async signedUp(browser: Browser, servers: Servers, userName: string): Promise<Person> {
    const person = await Person.arrive(browser, servers, userName);
    await person.signUp();
    return person;
  }

  /** The same person at another device, not signed in there. @param device as for `arrive` */
  async elsewhere(browser: Browser, device: BrowserContextOptions = {}): Promise<Person> {
    const { page } = await Person.arrive(browser, this.#servers, this.userName, device);
    return this.at(page);
  }

  /** The same person at another page. */
  at(page: Page): Person {
    const other = new Person(page, this.#servers, this.userName, this.passphrase);
    other.authenticator = this.authenticator;
    other.recoveryWords = this.recoveryWords;
    other.backupCodes = this.backupCodes;
    return other;
  }

  get files(): Locator {
    return this.page.getByRole('grid', { name: 'Files' }).or(this.page.getByRole('table', { name: 'Files' }));
  }

  get search(): Locator {
    return this.page.getByRole('searchbox', { name: 'Search your drive' });
  }

  row(name: string): Locator {
    return this.files.getByRole('row').filter({ hasText: shownName(name) });
  }

  get lock(): Locator {
    // The page's: a dialog that covers it has one of its own.
    return this.page.getByRole('status', { name: 'Lock' }).first();
  }

  async code(): Promise<string> {
    if (!this.authenticator) throw new Error('no authenticator yet');
    return this.authenticator.code();
  }

  /** Puts the secret on the page into an authenticator, which is the one that counts from here on. */
  async pairs(): Promise<Authenticator> {
    const secret = await this.page.getByTestId('totp-secret').innerText();
    return (this.authenticator = new Authenticator(secret, this.#servers.clock));
  }

  async signUp(): Promise<void> {
    const { page } = this;
    await page.goto(`${this.#servers.origin}/`);
    await page
      .getByRole('link', { name: 'Create account' })
      .or(page.getByRole('button', { name: 'Create account' }))
      .click();
    await page.getByLabel('User name').fill(this.userName);
    await page.getByLabel('Passphrase', { exact: true }).fill(this.passphrase);
    await page.getByRole('button', { name: 'Create account' }).click();
    await this.pairs();
    await this.typeCode();
    this.recoveryWords = words(await page.getByTestId('recovery-words').innerText());
    this.backupCodes =
      (await page.getByTestId('backup-codes').innerText()).match(/[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}/g) ?? [];
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(this.search).toBeVisible();
    // Written down by hand.
    await page.getByRole('button', { name: 'Dismiss this message' }).click();
    await expect(page.getByText('may not have saved')).toBeHidden();
  }

  async signIn(): Promise<void> {
    const { page } = this;
    await page.goto(`${this.#servers.origin}/`);
    await page
      .getByRole('link', { name: 'Sign in' })
      .or(page.getByRole('button', { name: 'Sign in' }))
      .click();
    await this.typePassphrase();
    await this.typeCode();
    await expect(this.search).toBeVisible();
  }

  async typePassphrase(): Promise<void> {
    const { page } = this;
    await page.getByLabel('User name').fill(this.userName);
    await page.getByLabel('Passphrase', { exact: true }).fill(this.passphrase);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Submits itself at the sixth digit. */
  async typeCode(code?: string): Promise<void> {
    const field = this.page.getByLabel('Authenticator code');
    await field.waitFor();
    await field.fill(code ?? (await this.code()));
  }

  /** @param backupCode in place of a code */
  async unlock(backupCode?: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Unlock' }).click();
    if (backupCode === undefined) await this.typeCode();
    else {
      await this.page.getByText('Use a backup code').click();
      await this.page.getByLabel('Backup code').fill(backupCode);
      await this.page.keyboard.press('Enter');
    }
    await expect(this.lock).toContainText('Open');
  }

  async lockNow(): Promise<void> {
    await this.page.getByRole('button', { name: 'Lock now' }).last().click();
    await expect(this.lock).toContainText('Locked');
  }

  async signOut(): Promise<void> {
    await chooseOfApp(this.page, 'Sign out');
    await expect(this.page.getByRole('link', { name: 'Sign in' })).toBeVisible();
  }

  async upload(...files: string[] | TestFile[]): Promise<void> {
    const isLarge = files.some((file) => typeof file !== 'string' && file.buffer.length > LARGE_BYTES);
    const picked = isLarge ? files.map((file) => (typeof file === 'string' ? file : onDisk(file))) : files;
    await this.page.getByLabel('Upload files').setInputFiles(picked);
  }

  async act(name: string, item: string): Promise<void> {
    await this.page.getByRole('button', { name: `Actions for ${shownName(name)}` }).click();
    await this.page.getByRole('menuitem', { name: item, exact: true }).click();
  }

  /** @param unlock types a code when it is asked for one */
  async download(
    name: string,
    item: 'Download' | 'Download encrypted' = 'Download',
    unlock = false,
  ): Promise<Download> {
    const download = this.page.waitForEvent('download');
    await this.act(name, item);
    if (unlock) await this.typeCode();
    return download;
  }

  /** Goes to a place of the drive, by its link. */
  async go(place: 'Drive' | 'Favourites' | 'Trash' | 'Storage'): Promise<void> {
    const { page } = this;
    await page.getByRole('navigation', { name: 'Drive' }).getByRole('link', { name: place }).click();
    await expect(page.getByRole('heading', { level: 1, name: place })).toBeVisible();
  }

  async newFolder(name: string): Promise<void> {
    const { page } = this;
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await page.getByRole('menuitem', { name: 'New folder' }).click();
    await page.getByLabel('Name').fill(name);
    await page.keyboard.press('Enter');
    await expect(this.row(name)).toBeVisible();
  }

  /** Opens a folder that is listed. */
  async openFolder(name: string): Promise<void> {
    await this.files.getByRole('link', { name, exact: true }).click();
    await expect(this.page.getByRole('heading', { level: 1, name })).toBeVisible();
  }

  async trash(name: string): Promise<void> {
    await this.act(name, 'Move to trash');
    await expect(this.row(name)).toHaveCount(0);
  }

  /** Into the trash, and there for good; back to the top folder then. */
  async deleteForGood(name: string): Promise<void> {
    await this.trash(name);
    await this.go('Trash');
    await this.act(name, 'Delete for good');
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel('Authenticator code').fill(await this.code());
    await dialog.getByRole('button', { name: 'Delete for good' }).click();
    await expect(this.row(name)).toHaveCount(0);
    await this.go('Drive');
  }
}

/** Something of the app itself: in a menu, or on a phone on a page of its own. */
export async function chooseOfApp(page: Page, item: string): Promise<void> {
  const more = page.getByRole('button', { name: 'More', exact: true });
  const me = page.getByRole('navigation', { name: 'Drive' }).getByRole('link', { name: 'Me', exact: true });
  await more.or(me).click();
  await page
    .getByRole('menuitem', { name: item })
    .or(page.getByRole('button', { name: item }))
    .click();
}

let folder: string | undefined;

/**
 * Written into a folder of its own, so that it may have any other's name.
 * @returns the path; the browser finds the type by the ending
 */
function onDisk({ name, buffer }: TestFile): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'halfkey-picked-'));
    process.once('exit', () => {
      rmSync(made, { recursive: true, force: true });
    });
    folder = made;
  }
  const path = join(mkdtempSync(join(folder, 'file-')), name);
  writeFileSync(path, buffer);
  return path;
}

function words(text: string): string {
  return (text.toLowerCase().match(/[a-z]+/g) ?? []).join(' ');
}
