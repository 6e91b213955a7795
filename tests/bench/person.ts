import { randomBytes } from 'node:crypto';
import { Authenticator } from '../support/authenticator.ts';
import type { ServerClock } from '../support/server-clock.ts';
import type { BenchPage } from './chromium.ts';

/** Somebody with a passphrase and an authenticator, who uses the product's own crypto worker. */
export class Person {
  readonly #userName = `bench-${randomBytes(4).toString('hex')}`;
  readonly #passphrase = randomBytes(16).toString('hex');
  readonly #clock: ServerClock;
  #authenticator: Authenticator | undefined;

  /** @param clock of the servers */
  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  async signUp(page: BenchPage): Promise<void> {
    await page.call('send', { command: 'boot' });
    const args = { userName: this.#userName, passphrase: this.#passphrase };
    const { totpSecret } = await page.call<{ totpSecret: string }>('send', {
      command: 'sign-up/start',
      args,
    });
    this.#authenticator = new Authenticator(totpSecret, this.#clock);
    await page.call('send', { command: 'sign-up/verify', args: { code: await this.#code() } });
  }

  /** On another device. */
  async signIn(page: BenchPage): Promise<void> {
    await page.call('send', { command: 'boot' });
    const args = { userName: this.#userName, passphrase: this.#passphrase };
    await page.call('send', { command: 'sign-in/start', args });
    const factor = { code: await this.#code() };
    await page.call('send', { command: 'sign-in/code', args: { factor } });
  }

  /** Back on a page that was loaded again: a grant lasts no longer than its page. */
  async unlock(page: BenchPage): Promise<void> {
    await page.call('send', { command: 'boot' });
    const factor = { code: await this.#code() };
    await page.call('send', { command: 'unlock', args: { factor } });
  }

  #code(): Promise<string> {
    if (!this.#authenticator) throw new TypeError('expected somebody who has signed up');
    return this.#authenticator.code();
  }
}
