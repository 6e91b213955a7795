import { generate } from 'otplib';
import type { ServerClock } from './server-clock.ts';

const STEP_SECONDS = 30;
const STEP_MS = STEP_SECONDS * 1000;

/** An authenticator app that knows that each code is good once: it never shows one twice, nor an older one. */
export class Authenticator {
  /** Base32. */
  readonly secret: string;
  readonly #clock: ServerClock;
  #lastStep = 0;

  /**
   * @param secret base32, white space allowed
   * @param clock of the servers that are to take the codes; the authenticator goes by it too
   */
  constructor(secret: string, clock: ServerClock) {
    this.secret = secret.replace(/\s/g, '');
    this.#clock = clock;
  }

  /**
   * The next code that the broker will take: of this step or the next one. When those are spent, time passes until
   * there is another, and no longer: what else runs out by the servers' clock is to last as long as it can.
   */
  code(): Promise<string> {
    // Not the step before: it may be over by the time that the code is typed.
    const step = Math.max(this.#step(), this.#lastStep + 1);
    this.#lastStep = step;
    const goodFromMs = (step - 1) * STEP_MS;
    this.#clock.advance(Math.max(0, goodFromMs - this.#clock.nowMs()));
    return this.at(step);
  }

  /** The code of an absolute time step. */
  at(step: number): Promise<string> {
    return generate({ secret: this.secret, epoch: step * STEP_SECONDS });
  }

  /** A code that is good neither now nor soon. */
  async wrongCode(): Promise<string> {
    const now = this.#step();
    const near = await Promise.all([-2, -1, 0, 1, 2, 3].map((offset) => this.at(now + offset)));
    for (let guess = 0; ; guess++) {
      const code = String(guess).padStart(6, '0');
      if (!near.includes(code)) return code;
    }
  }

  #step(): number {
    return Math.floor(this.#clock.nowMs() / STEP_MS);
  }
}
