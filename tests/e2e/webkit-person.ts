import { setTimeout as delay } from 'node:timers/promises';
import { Authenticator } from '../support/authenticator.ts';
import type { Servers } from '../support/stack.ts';
import type { WebDriver, WebElement } from '../support/webdriver.ts';

/** The key, as WebDriver writes it (§17.4.2). */
const ENTER = '\uE007';
const FOUND_WITHIN_MS = 30_000;

/** What has which role, as far as Halfkey uses it. A field for passphrases has none, and is found by its label. */
const ROLES = { button: 'button', link: 'a[href]', menuitem: '[role=menuitem]', field: 'input' } as const;
type Role = keyof typeof ROLES;

/** Somebody at WebKit. Finds things by role and label, as `Person` does in Chromium. */
export class WebKitPerson {
  readonly #browser: WebDriver;
  readonly #servers: Servers;
  authenticator: Authenticator | undefined;

  constructor(browser: WebDriver, servers: Servers) {
    this.#browser = browser;
    this.#servers = servers;
  }

  /** The same person after the browser was started again. */
  at(browser: WebDriver): WebKitPerson {
    const other = new WebKitPerson(browser, this.#servers);
    other.authenticator = this.authenticator;
    return other;
  }

  open(path = '/'): Promise<void> {
    return this.#browser.goto(new URL(path, this.#servers.origin).href);
  }

  async signUp(userName: string, passphrase: string): Promise<void> {
    await this.open();
    await this.click('link', 'Create account');
    await this.type('User name', userName);
    await this.type('Passphrase', `${passphrase}${ENTER}`);
    const secret = await this.#until('the secret', () =>
      this.#browser.evaluate(
        () => document.querySelector('[data-testid="totp-secret"]')?.textContent ?? undefined,
      ),
    );
    this.authenticator = new Authenticator(secret, this.#servers.clock);
    await this.typeCode();
    await this.click('button', 'Continue');
    await this.find('field', 'Search your drive');
  }

  /** At the page for it. */
  async signIn(userName: string, passphrase: string): Promise<void> {
    await this.type('User name', userName);
    await this.type('Passphrase', `${passphrase}${ENTER}`);
    await this.typeCode();
    await this.find('field', 'Search your drive');
  }

  async unlock(): Promise<void> {
    await this.click('button', 'Unlock');
    await this.typeCode();
    await this.find('button', 'Lock now');
  }

  async typeCode(): Promise<void> {
    const code = await this.authenticator?.code();
    if (code === undefined) throw new Error('no authenticator yet');
    await this.type('Authenticator code', code);
  }

  /** @param paths of files on disk */
  upload(...paths: string[]): Promise<void> {
    return this.type('Upload files', paths.join('\n'));
  }

  async act(name: string, item: string): Promise<void> {
    await this.click('button', `Actions for ${name}`);
    await this.click('menuitem', item);
  }

  async untilListed(name: string): Promise<void> {
    await this.find('button', `Actions for ${name}`);
  }

  /** Waits until the page says so anywhere. */
  async untilSaid(text: string): Promise<void> {
    await this.#until(text, () =>
      this.#browser.evaluate((wanted) => document.body.innerText.includes(wanted), text),
    );
  }

  async click(role: Role, name: string): Promise<void> {
    await this.#until(`${role} ${name}, to be clicked`, async () => {
      const element = await this.#look(role, name);
      if (element) await this.#browser.click(element);
      return element !== null;
    });
  }

  async type(label: string, text: string): Promise<void> {
    await this.#browser.type(await this.find('field', label), text);
  }

  find(role: Role, name: string): Promise<WebElement> {
    return this.#until(`${role} ${name}`, () => this.#look(role, name));
  }

  #look(role: Role, name: string): Promise<WebElement | null> {
    return this.#browser.evaluate(findVisible, ROLES[role], name);
  }

  /** A page that is just being drawn anew answers with an error: it is asked again. */
  async #until<Answer>(
    wanted: string,
    ask: () => Promise<Answer>,
  ): Promise<Exclude<Answer, false | null | undefined>> {
    const deadline = Date.now() + FOUND_WITHIN_MS;
    for (;;) {
      const answer = await ask().catch((error: unknown) => (Date.now() > deadline ? throwing(error) : false));
      if (answer) return answer as Exclude<Answer, false | null | undefined>;
      if (Date.now() > deadline) {
        const page = await this.#browser.evaluate(() => document.body.innerText);
        throw new Error(`expected ${wanted}; the page says: ${page}`);
      }
      await delay(50);
    }
  }
}

function throwing(error: unknown): never {
  throw error;
}

/** Runs in the page. Fields for files are nowhere to be seen. */
function findVisible(selector: string, name: string): WebElement | null {
  const nameOf = (element: HTMLElement) => {
    const label = element instanceof HTMLInputElement ? element.labels?.[0] : undefined;
    return element.ariaLabel ?? (label ?? element).textContent.trim();
  };
  const isVisible = (element: HTMLElement) =>
    (element instanceof HTMLInputElement && element.type === 'file') || element.checkVisibility();
  const found = [...document.querySelectorAll<HTMLElement>(selector)].filter(
    (element) => nameOf(element) === name && isVisible(element),
  );
  // What is behind a dialog cannot be reached.
  return (found.find((element) => element.closest('dialog')) ?? found[0] ?? null) as WebElement | null;
}
