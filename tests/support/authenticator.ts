import { generate } from 'otplib';

const STEP_SECONDS = 30;

/** An authenticator app that knows that each code is good once: it never shows one twice, nor an older one. */
export class Authenticator {
  /** Base32. */
  readonly secret: string;
  readonly #aheadMs: number;
  #lastStep = 0;

  /**
   * @param secret base32, white space allowed
   * @param aheadMs by how much its clock is ahead of this machine's
   */
  constructor(secret: string, aheadMs = 0) {
    this.secret = secret.replace(/\s/g, '');
    this.#aheadMs = aheadMs;
  }

  /** The next code that the broker will take: of the step before, this or the next one; waits when those are spent. */
  async code(): Promise<string> {
    for (;;) {
      const now = this.#step();
      // Not the step before: it may be over by the time that the code is typed.
      const step = Math.max(now, this.#lastStep + 1);
      if (step <= now + 1) {
        this.#lastStep = step;
        return this.at(step);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
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
    return Math.floor((Date.now() + this.#aheadMs) / 1000 / STEP_SECONDS);
  }
}
