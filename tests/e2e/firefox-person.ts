import type { ElementHandle, Page } from 'puppeteer-core';
import { Authenticator } from '../support/authenticator.ts';

/** Somebody at Firefox. Finds things by role and label, as `Person` does in Chromium. */
export class FirefoxPerson {
  readonly page: Page;
  readonly #origin: string;
  authenticator: Authenticator | undefined;

  constructor(page: Page, origin: string) {
    this.page = page;
    this.#origin = origin;
  }

  /** The same person in another window. */
  at(page: Page): FirefoxPerson {
    const other = new FirefoxPerson(page, this.#origin);
    other.authenticator = this.authenticator;
    return other;
  }

  async open(): Promise<void> {
    await this.page.setViewport({ width: 1280, height: 800 });
    await this.page.goto(this.#origin);
  }

  async signUp(userName: string, passphrase: string): Promise<void> {
    await this.open();
    await this.click('link', 'Create account');
    await (await this.field('User name')).type(userName);
    await (await this.field('Passphrase')).type(passphrase);
    await this.click('button', 'Create account');
    const secret = await this.page.waitForSelector('[data-testid="totp-secret"]');
    this.authenticator = new Authenticator((await secret?.evaluate(({ textContent }) => textContent)) ?? '');
    await this.typeCode();
    await this.click('button', 'Continue');
    await this.field('Filter files');
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

  async act(name: string, item: string): Promise<void> {
    await this.click('button', `Actions for ${name}`);
    await this.click('menuitem', item);
  }

  async untilListed(name: string): Promise<void> {
    await this.page.waitForSelector(byRole('button', `Actions for ${name}`));
  }

  /** Waits until the page says so anywhere. */
  async untilSaid(text: string): Promise<void> {
    await this.page.waitForFunction((wanted) => document.body.innerText.includes(wanted), {}, text);
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
