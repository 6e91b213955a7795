import type { ElementHandle, Page } from 'puppeteer-core';
import { Authenticator } from '../support/authenticator.ts';
import type { Servers } from '../support/stack.ts';

const PATIENCE_MS = 120_000;

/** Somebody at Firefox. Finds things by role and label, as `Person` does in Chromium. */
export class FirefoxPerson {
  readonly page: Page;
  readonly #servers: Servers;
  authenticator: Authenticator | undefined;

  constructor(page: Page, servers: Servers) {
    this.page = page;
    // Of what waits for the file of 20 MiB, on a machine that has other things to do.
    page.setDefaultTimeout(PATIENCE_MS);
    this.#servers = servers;
  }

  /** The same person in another window. */
  at(page: Page): FirefoxPerson {
    const other = new FirefoxPerson(page, this.#servers);
    other.authenticator = this.authenticator;
    return other;
  }

  async open(path = '/'): Promise<void> {
    await this.page.setViewport({ width: 1280, height: 800 });
    await this.page.goto(new URL(path, this.#servers.origin).href);
  }

  async signUp(userName: string, passphrase: string): Promise<void> {
    await this.open();
    await this.click('link', 'Create account');
    await (await this.field('User name')).type(userName);
    await (await this.field('Passphrase')).type(passphrase);
    await this.click('button', 'Create account');
    const secret = await this.page.waitForSelector('[data-testid="totp-secret"]');
    this.authenticator = new Authenticator(
      (await secret?.evaluate(({ textContent }) => textContent)) ?? '',
      this.#servers.clock,
    );
    await this.typeCode();
    await this.click('button', 'Continue');
    await this.field('Search your drive');
  }

  async signIn(userName: string, passphrase: string): Promise<void> {
    await this.open('/sign-in');
    await (await this.field('User name')).type(userName);
    await (await this.field('Passphrase')).type(passphrase);
    await this.click('button', 'Sign in');
    await this.typeCode();
    await this.field('Search your drive');
  }

  async typeCode(): Promise<void> {
    const code = await this.authenticator?.code();
    if (code === undefined) throw new Error('no authenticator yet');
    await (await this.field('Authenticator code')).type(code);
  }

  /** @param paths of files on disk */
  async upload(...paths: string[]): Promise<void> {
    await (await this.field('Upload files')).uploadFile(...paths);
  }

  /** Picks files that are on no disk, whose names may be anything, and waits until all of them are in the drive. */
  async offer(files: readonly { readonly name: string; readonly text: string }[]): Promise<void> {
    const input = await this.field('Upload files');
    await input.evaluate((field, files) => {
      const transfer = new DataTransfer();
      for (const { name, text } of files) transfer.items.add(new File([text], name, { type: 'text/plain' }));
      field.files = transfer.files;
      field.dispatchEvent(new Event('change', { bubbles: true }));
    }, files);
    await this.untilSaid(`${String(files.length)} files`, 120_000);
  }

  async filter(text: string): Promise<void> {
    const field = await this.field('Search your drive');
    await field.click({ count: 3 });
    await this.page.keyboard.press('Backspace');
    if (text !== '') await field.type(text);
  }

  async act(name: string, item: string): Promise<void> {
    await this.openMenu(name);
    await this.click('menuitem', item);
  }

  /** By attribute: no selector says every name. */
  async openMenu(name: string): Promise<void> {
    const button = await this.page.waitForFunction(
      (label) => [...document.querySelectorAll('button')].find(({ ariaLabel }) => ariaLabel === label),
      {},
      `Actions for ${name}`,
    );
    await (button as ElementHandle<HTMLButtonElement>).click();
  }

  async untilListed(name: string): Promise<void> {
    await this.page.waitForSelector(byRole('button', `Actions for ${name}`));
  }

  /** Waits until the page says so anywhere. */
  async untilSaid(text: string, timeout = 30_000): Promise<void> {
    await this.page.waitForFunction((wanted) => document.body.innerText.includes(wanted), { timeout }, text);
  }

  async click(role: string, name: string): Promise<void> {
    const element = await this.page.waitForSelector(byRole(role, name), { visible: true });
    await element?.click();
  }

  /** By its label, because a field for passphrases has no role. */
  async field(label: string): Promise<ElementHandle<HTMLInputElement>> {
    const found = await this.page.waitForFunction(
      (wanted) =>
        [...document.querySelectorAll('input')].find(
          (input) =>
            input.ariaLabel === wanted ||
            [...(input.labels ?? [])].some(({ textContent }) => textContent.trim() === wanted),
        ),
      {},
      label,
    );
    return found as ElementHandle<HTMLInputElement>;
  }
}

function byRole(role: string, name: string): string {
  return `::-p-aria([name="${name}"][role="${role}"])`;
}
