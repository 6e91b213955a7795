import type { Browser } from 'playwright';
import { chromium } from 'playwright';
import { expect } from 'vitest';
import { Authenticator } from '../support/authenticator.ts';
import { chromiumPath, CHROMIUM_ARGS } from '../support/chromium.mjs';
import { startBareStack, type BareStack } from './bare-stack.ts';
import { Device, type TestClock } from './device.ts';

/** An account with what its owner carries. */
export interface Person {
  readonly userName: string;
  readonly passphrase: string;
  readonly words: string;
  readonly authenticator: Authenticator;
  /** The next backup code, which no clock has to do with. */
  readonly factor: () => { backupCode: string };
}

/** The real worker in real browsers, against the real broker and local cloud. */
export class Worlds {
  readonly stack: BareStack;
  readonly #browser: Browser;
  #devices: Device[] = [];
  #people = 0;

  private constructor(stack: BareStack, browser: Browser) {
    this.stack = stack;
    this.#browser = browser;
  }

  static async start(): Promise<Worlds> {
    const stack = await startBareStack({ isQuick: true });
    return new Worlds(stack, await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS }));
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.stack.stop();
  }

  /** A device of nobody's yet. */
  async newDevice(clock?: TestClock): Promise<Device> {
    const device = await Device.open(this.#browser, this.stack.origin);
    this.#devices.push(device);
    if (clock) await device.setClock(clock);
    expect(await device.send('boot', {})).toEqual({ phase: 'signed-out' });
    return device;
  }

  /** Another tab of a device, booted. */
  async newTab({ context }: Device, clock?: TestClock): Promise<Device> {
    const tab = await Device.tab(context);
    if (clock) await tab.setClock(clock);
    await tab.send('boot', {});
    this.#devices.push(tab);
    return tab;
  }

  async signUp(device: Device): Promise<Person> {
    const userName = `person-${String(++this.#people)}`;
    const { passphrase } = await device.send('passphrase/generate', {});
    const { totpSecret } = await device.send('sign-up/start', { userName, passphrase });
    const authenticator = new Authenticator(totpSecret, this.stack.clock);
    const kit = await device.send('sign-up/verify', { code: await authenticator.code() });
    const codes = [...kit.backupCodes];
    await device.untilPhase('open');
    return {
      userName,
      passphrase,
      words: kit.recoveryWords.join(' '),
      authenticator,
      factor: () => ({ backupCode: codes.shift() ?? 'none left' }),
    };
  }

  async signIn(device: Device, { userName, passphrase, factor }: Person): Promise<void> {
    await device.send('sign-in/start', { userName, passphrase });
    await device.send('sign-in/code', { factor: factor() });
    await device.untilPhase('open');
  }

  /** Ends what a test began; nothing may have gone wrong unheard. */
  async clear(): Promise<void> {
    for (const { context, faults } of this.#devices) {
      await context.close();
      expect(faults).toEqual([]);
    }
    this.#devices = [];
  }
}
