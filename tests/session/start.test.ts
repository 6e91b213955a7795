import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import type { DeviceStore, LocalAccount } from '../../src/lib/session/device-store.ts';
import { openWithPassphrase, setStart } from '../../src/lib/session/start.ts';
import { readAttempts, saveAttempts } from '../../src/lib/store/attempts.ts';
import { openDatabase, type Database } from '../../src/lib/store/database.ts';
import { TestLocks } from '../support/test-locks.ts';

const RIGHT = 'zebra';
const AT_HOME = {} as LocalAccount;
let database: Database;
let nowMs: number;
/** What opening fails with, whatever the passphrase. */
let fault: ErrorCode | undefined;
let tries: number;

beforeEach(async () => {
  [nowMs, fault, tries] = [1_800_000_000_000, undefined, 0];
  database = await openDatabase(() => undefined);
  await saveAttempts(database, undefined);
  vi.stubGlobal('navigator', { locks: new TestLocks().client().locks });
});
afterEach(() => {
  database.close();
  vi.unstubAllGlobals();
});

const device = {
  database: () => Promise.resolve(database),
  openWith: (passphrase: string) => {
    tries += 1;
    if (fault) return Promise.reject(new HalfkeyError(fault, 'x'));
    if (passphrase !== RIGHT) return Promise.reject(new HalfkeyError('passphrase_wrong', 'x'));
    return Promise.resolve(AT_HOME);
  },
};
const open = (passphrase: string, store: object = device) =>
  openWithPassphrase(store as DeviceStore, passphrase, () => nowMs);
/** Code and pause of a try that is in vain. */
async function inVain(passphrase = 'x'): Promise<[unknown, number | undefined]> {
  try {
    await open(passphrase);
    return ['opened', undefined];
  } catch (error) {
    const { code, detail } = error as HalfkeyError;
    return [code, detail.retryAfterSeconds];
  }
}

describe('the passphrase at the start', () => {
  it('opens when it is right, and what was wrong before is forgotten', async () => {
    await inVain();
    expect(await open(RIGHT)).toBe(AT_HOME);
    expect(await readAttempts(database)).toBeUndefined();
  });

  it('says with each wrong one how long to wait before the next', async () => {
    const told = [];
    for (let count = 1; count <= 5; count++) {
      told.push(await inVain());
      nowMs += 10_000;
    }
    expect(told).toEqual([
      ['passphrase_wrong', undefined],
      ['passphrase_wrong', undefined],
      ['passphrase_wrong', undefined],
      ['passphrase_wrong', 2],
      ['passphrase_wrong', 4],
    ]);
  });

  it('is not looked at before the pause is over, be it right', async () => {
    await saveAttempts(database, { wrong: 5, lastMs: nowMs });
    nowMs += 2_500;
    expect(await inVain(RIGHT)).toEqual(['too_many_requests', 2]);
    expect(tries).toBe(0);
    nowMs += 1_500;
    expect(await open(RIGHT)).toBe(AT_HOME);
  });

  it('waits for a whole pause anew when the clock was set back, and not for as long as that', async () => {
    await saveAttempts(database, { wrong: 5, lastMs: nowMs });
    nowMs -= 1_000_000;
    expect(await inVain(RIGHT)).toEqual(['too_many_requests', 4]);
    nowMs += 4_000;
    expect(await open(RIGHT)).toBe(AT_HOME);
  });

  it('counts a try before it is made: a tab that dies in it has tried', async () => {
    let counted: unknown;
    const dying = {
      ...device,
      openWith: async () => {
        counted = await readAttempts(database);
        return AT_HOME;
      },
    };
    await open('x', dying);
    expect(counted).toEqual({ wrong: 1, lastMs: nowMs });
  });

  it('counts no try that failed for another reason', async () => {
    await inVain();
    const before = await readAttempts(database);
    fault = 'device_state_lost';
    nowMs += 1;
    expect(await inVain()).toEqual(['device_state_lost', undefined]);
    expect(await readAttempts(database)).toEqual(before);
  });

  it('is tried by one tab after the other: none is free that another has counted', async () => {
    await saveAttempts(database, { wrong: 3, lastMs: nowMs });
    const outcomes = await Promise.all([inVain(), inVain()]);
    expect(outcomes).toEqual([
      ['passphrase_wrong', 2],
      ['too_many_requests', 2],
    ]);
  });
});

describe('whether the passphrase is asked for at the start', () => {
  const account = { account: 'a', keyring: { version: 2, hash: new Uint8Array(32) } };
  const localAccount = { account } as LocalAccount;
  let kept: LocalAccount[];

  const stop = (owner: object | undefined, isStillThere = true) => {
    kept = [];
    const deviceStore = {
      owner: () => Promise.resolve(owner),
      keep: (one: LocalAccount) => {
        kept.push(one);
        return Promise.resolve();
      },
    } as Partial<DeviceStore> as DeviceStore;
    const deps = { deviceStore, broker: {} as Broker, isStillThere: () => isStillThere };
    return setStart(undefined, localAccount, deps);
  };

  it('is set for the account that is stored here', async () => {
    await stop(account);
    expect(kept).toEqual([localAccount]);
  });

  it.each<[string, object | undefined, boolean]>([
    ['was signed out of', account, false],
    ['is gone from the device', undefined, true],
    ['has made room for another', { ...account, account: 'b' }, true],
    ['has another passphrase since, by another tab', { ...account, keyring: { version: 3 } }, true],
  ])('is not set where the account %s', async (_, owner, isStillThere) => {
    await expect(stop(owner, isStillThere)).rejects.toMatchObject({ code: 'session_missing' });
    expect(kept).toEqual([]);
  });
});
