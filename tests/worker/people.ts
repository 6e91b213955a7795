import { chromium, type Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { Authenticator } from '../support/authenticator.ts';
import { CHROMIUM_ARGS, headlessChromiumPath } from '../support/chromium.mjs';
import type { Stack } from '../support/stack.ts';
import { startBareStack } from './bare-stack.ts';
import { Device, type TestClock } from './device.ts';

/** An account with what its owner carries. */
export interface Person {
  readonly userName: string;
  readonly passphrase: string;
  readonly words: string;
  readonly backupCodes: readonly string[];
  readonly authenticator: Authenticator;
  /** The next backup code, which no clock has to do with. */
  readonly factor: () => { backupCode: string };
}

/** One for all files that a process runs; it ends with the process. */
let launched: Promise<Browser> | undefined;

/** Starting broker, local cloud and browser, and building what they run where that was not done yet. */
const START_MS = 120_000;

/**
 * Worlds for the test file that calls this: started before its first test, cleared after each, stopped behind the last.
 */
export function setUpWorlds(options: WorldOptions = {}): Worlds {
  const worlds = new Worlds(options);
  beforeAll(() => worlds.start(), START_MS);
  afterEach(() => worlds.clear());
  afterAll(() => worlds.stop(), START_MS);
  return worlds;
}

type WorldOptions = Omit<NonNullable<Parameters<typeof startBareStack>[0]>, 'isQuick'>;

/** The real worker in real browsers, against the real broker and local cloud. */
export class Worlds {
  #stack: Stack | undefined;
  #browser: Browser | undefined;
  readonly #devices: Device[] = [];
  #people = 0;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
  }

  get stack(): Stack {
    if (!this.#stack) throw new Error('the worlds have not been started');
    return this.#stack;
  }

  async start(): Promise<void> {
    this.#stack = await startBareStack({ isQuick: true, ...this.#options });
    launched ??= chromium.launch({ executablePath: headlessChromiumPath(), args: CHROMIUM_ARGS });
    this.#browser = await launched;
  }

  async stop(): Promise<void> {
    await this.#stack?.stop();
  }

  /** A device without an account yet. */
  async newDevice(clock?: TestClock): Promise<Device> {
    if (!this.#browser) throw new Error('the worlds have not been started');
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
      backupCodes: kit.backupCodes,
      authenticator,
      factor: () => ({ backupCode: codes.shift() ?? 'none left' }),
    };
  }

  /** Somebody who is signing up, and has paired an authenticator. */
  personOf(made: { userName: string; passphrase: string; totpSecret: string }): Person {
    const authenticator = new Authenticator(made.totpSecret, this.stack.clock);
    const factor = () => ({ backupCode: 'none yet' });
    return { ...made, words: '', backupCodes: [], authenticator, factor };
  }

  /** Another process, which remembers nothing. @param meanwhile what is done while there is none */
  async restartBroker(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.stack.broker.halt();
    await meanwhile();
    await this.stack.broker.resume();
  }

  async signIn(device: Device, { userName, passphrase, factor }: Person): Promise<void> {
    await device.send('sign-in/start', { userName, passphrase });
    await device.send('sign-in/code', { factor: factor() });
    await device.untilPhase('open');
  }

  /** Ends what a test began; nothing may have gone wrong unheard. */
  async clear(): Promise<void> {
    const devices = this.#devices.splice(0);
    for (const context of new Set(devices.map((device) => device.context))) {
      await context.unrouteAll({ behavior: 'ignoreErrors' });
      await context.close();
    }
    for (const { faults } of devices) expect(faults).toEqual([]);
  }
}
