import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// From here, or from the bench's bundle, which is as deep.
const STEPPED = new URL('../../tests/support/stepped-clock.mjs', import.meta.url).href;

/** What the servers under test take for the present: this machine's time, and as much more as a test has let pass. */
export class ServerClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'halfkey-clock-'));
  readonly #path = join(this.#folder, 'ahead');
  readonly #file = openSync(this.#path, 'w');
  #aheadMs = 0;

  constructor() {
    this.advance(0);
  }

  /** Variables that a server is to be started with; its children have the same clock. */
  get environment(): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: `--import ${STEPPED}`, STEPPED_CLOCK: this.#path };
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Lets so much time pass, for all servers at once. */
  advance(ms: number): void {
    this.#aheadMs += ms;
    writeSync(this.#file, new Float64Array([this.#aheadMs]), 0, Float64Array.BYTES_PER_ELEMENT, 0);
  }

  /** After the servers have ended. */
  close(): void {
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
