import { randomBytes } from 'node:crypto';
import { grantBuy } from '$contract/accounts.ts';
import { LIMITS } from '$contract/limits.ts';
import { envelopesWrite, keysGenerate, keysRelease } from '$contract/vault-keys.ts';
import { AccountClient } from '../../support/account-client.ts';
import { TestClock } from '../../support/broker.ts';
import type { ServerClock } from '../../support/server-clock.ts';
import { envelopeOf } from '../../support/vault-side.ts';
import { limit } from '../figure.ts';
import type { Ground } from '../ground.ts';
import type { Contest } from './contest.ts';

const STEP_MS = 30_000;
/** Accounts that come before the clock is looked at, as each side of a comparison has a round. */
const WARMING_UP = 2;

/** A code and the releases that it buys, asked for by a small client of the contract; the broker has one core. */
export const broker: Contest = {
  brokerCore: 0,
  async run(ground, { accounts, releases }) {
    const times: number[] = [];
    for (let index = 0; index < WARMING_UP + accounts; index++) {
      const session = await Account.create(ground);
      const both = [await session.unlockAndRelease(0), await session.unlockAndRelease(1)];
      if (index >= WARMING_UP) times.push(...both);
    }
    const oneMs = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
    const many = await Account.create(ground);
    const manyMs = await many.releaseMany(releases);
    return [
      limit(
        'code accepted and one key released',
        `median of ${String(times.length)}`,
        {
          value: oneMs,
          unit: 'ms',
          note: `${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)} ms`,
        },
        { below: 50 },
      ),
      limit(
        'keys released in one session',
        `${String(releases)} by ${String(LIMITS.batch)}`,
        { value: manyMs / 1000, unit: 's', note: `${((releases / manyMs) * 1000).toFixed(0)} keys/s` },
        { below: 2 },
      ),
    ];
  },
};

/** Somebody who has signed up, and whose authenticator has not shown this step's code yet. */
class Account {
  readonly #client: AccountClient;
  #grant: string;

  private constructor(client: AccountClient, grant: string) {
    this.#client = client;
    this.#grant = grant;
  }

  static async create({ origin, stack }: Ground): Promise<Account> {
    // By its name: the broker sends everybody else there, and a cookie would not come along.
    const address = `http://localhost:${String(stack.brokerPort)}`;
    const client = new AccountClient((path, init) => fetch(address + path, init), stepBefore(stack.clock));
    client.headers = { origin };
    makeStepFresh(stack.clock);
    const { grant } = await client.signUp(`bench-${randomBytes(6).toString('hex')}`);
    return new Account(client, grant.id);
  }

  /** @param step which code: 1 is the next, that the broker takes too. @returns ms of both requests together */
  async unlockAndRelease(step: 0 | 1): Promise<number> {
    const [name] = await this.#generate(1);
    const code = await this.#client.code(step + 1);
    const start = performance.now();
    await this.#unlock(code);
    await this.#release([name]);
    return performance.now() - start;
  }

  /** @returns ms of releasing so many, in batches one after the other, by one grant */
  async releaseMany(count: number): Promise<number> {
    const names = await this.#generate(count);
    await this.#unlock(await this.#client.code(1));
    const start = performance.now();
    for (let index = 0; index < count; index += LIMITS.batch)
      await this.#release(names.slice(index, index + LIMITS.batch));
    return performance.now() - start;
  }

  async #unlock(code: string): Promise<void> {
    this.#grant = (await this.#client.must(grantBuy, { factor: { code } })).id;
  }

  async #release(names: readonly unknown[]): Promise<void> {
    const { keys } = await this.#client.must(keysRelease, { grant: this.#grant, purpose: 'file', names });
    if (keys.length !== names.length)
      throw new Error(`expected ${String(names.length)} keys, got ${String(keys.length)}`);
  }

  async #generate(count: number): Promise<{ blob: string; epoch: number }[]> {
    const names: { blob: string; epoch: number }[] = [];
    while (names.length < count) {
      const blobs = Array.from({ length: Math.min(LIMITS.batch, count - names.length) }, () =>
        randomBytes(16).toString('base64url'),
      );
      const request = { grant: this.#grant, purpose: 'file', blobs };
      const { keys } = await this.#client.must(keysGenerate, request);
      const envelopes = keys.map(({ blob, kmsBlob }) => ({
        blob,
        envelope: envelopeOf(Buffer.from(kmsBlob, 'base64url')),
      }));
      await this.#client.must(envelopesWrite, { envelopes });
      names.push(...blobs.map((blob) => ({ blob, epoch: 0 })));
    }
    return names;
  }
}

/**
 * A code is good once, and the steps before and after this one count too: signing up with the one before leaves two to
 * measure.
 */
function stepBefore(servers: ServerClock): TestClock {
  return Object.defineProperty(new TestClock(), 'nowMs', { get: () => servers.nowMs() - STEP_MS });
}

/** The step before would be too old if a new one began just now. */
function makeStepFresh(servers: ServerClock): void {
  const leftMs = STEP_MS - (servers.nowMs() % STEP_MS);
  if (leftMs < 3000) servers.advance(leftMs);
}
