import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { Sync } from '../../src/lib/drive/sync.ts';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import type { SharedHeads } from '../../src/lib/drive/shared-heads.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';

/** What each stream of heads was begun with, and how many were ended. */
const heads = vi.hoisted(() => ({ begun: [] as Listener[], ended: 0 }));
vi.mock('../../src/lib/drive/shared-heads.ts', () => ({
  SharedHeads: class {
    constructor(deps: Listener) {
      heads.begun.push(deps);
    }
    stop(): void {
      heads.ended += 1;
    }
  },
}));

const HEAD = { seq: 7, hash: 'h' };
type Listener = ConstructorParameters<typeof SharedHeads>[0];
let page: EventTarget;
let heard: string[];
/** What the next refreshes fail with, in turn; then they go well. */
let faults: Error[];
let current: boolean;
/** What the journal is doing. */
let idle: Promise<void>;
let sync: Sync;

beforeEach(() => {
  vi.useFakeTimers();
  [page, heard, faults, current] = [new EventTarget(), [], [], false];
  idle = Promise.resolve();
  [heads.begun, heads.ended] = [[], 0];
  vi.stubGlobal('navigator', { locks: {} });
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  sync = new Sync({
    prover: new SessionProver(() => Promise.resolve(undefined)),
    origin: 'https://halfkey.test',
    vault: 'vault' as VaultId,
    broker: {} as Broker,
    known: () => 0,
    refresh: () => {
      heard.push('refresh');
      const fault = faults.shift();
      return fault === undefined ? Promise.resolve() : Promise.reject(fault);
    },
    idle: () => idle,
    isCurrent: () => current,
    inbox: () => heard.push('inbox'),
    failed: (error) => heard.push(`failed ${error instanceof HalfkeyError ? error.code : 'otherwise'}`),
    connection: (online) => heard.push(online ? 'online' : 'offline'),
  });
});
afterEach(() => {
  sync.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const fault = (code: ErrorCode) => new HalfkeyError(code, 'x');
const refreshes = () => heard.filter((each) => each === 'refresh').length;
/** The times, in ms from now, at which it refreshes while it is left alone. */
async function refreshedAt(untilMs: number): Promise<number[]> {
  const [startMs, times] = [Date.now(), [] as number[]];
  for (let before = refreshes(); Date.now() < startMs + untilMs; before = refreshes()) {
    await vi.advanceTimersByTimeAsync(500);
    if (refreshes() > before) times.push(Date.now() - startMs);
  }
  return times;
}

describe('a journal that is kept up to date', () => {
  it('listens for new heads once it has caught up, and by one stream alone', async () => {
    await sync.now();
    await sync.now();
    expect([refreshes(), heads.begun.length]).toEqual([2, 1]);
  });

  it('is refreshed for a head that it does not stand at, and for no other', async () => {
    await sync.now();
    current = true;
    heads.begun[0]!.onNews({ kind: 'head', head: HEAD });
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshes()).toBe(1);
    current = false;
    heads.begun[0]!.onNews({ kind: 'head', head: HEAD });
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshes()).toBe(2);
  });

  it('is not refreshed for what it is just writing itself', async () => {
    await sync.now();
    let written: () => void = () => undefined;
    idle = new Promise((resolve) => {
      written = resolve;
    });
    heads.begun[0]!.onNews({ kind: 'head', head: HEAD });
    await vi.advanceTimersByTimeAsync(0);
    current = true;
    written();
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshes()).toBe(1);
  });

  it('is refreshed as soon as the network is back', async () => {
    page.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshes()).toBe(1);
  });

  it('tells of the inbox without being refreshed', async () => {
    await sync.now();
    heads.begun[0]!.onNews({ kind: 'inbox' });
    expect(heard).toEqual(['refresh', 'online', 'inbox']);
  });
});

describe('a broker that does not answer', () => {
  it('is asked again later and later, up to half a minute, and soon again after it has answered', async () => {
    faults = Array.from({ length: 8 }, () => fault('broker_unreachable'));
    await sync.now();
    expect(heard).toEqual(['refresh', 'offline']);
    expect(await refreshedAt(125_000)).toEqual(
      [1, 3, 7, 15, 31, 61, 91, 121].map((seconds) => seconds * 1000),
    );
    faults = [fault('broker_unreachable')];
    await sync.now();
    expect(await refreshedAt(5_000)).toEqual([1_000]);
  });

  it('that wants to be left alone for a while is not called offline', async () => {
    faults = [fault('too_many_requests')];
    await sync.now();
    expect(heard).toEqual(['refresh']);
    expect(await refreshedAt(5_000)).toEqual([1_000]);
  });

  it.each([fault('rollback'), fault('session_missing'), new TypeError('x')])(
    'as it should is told of, and not asked again: %s',
    async (error) => {
      faults = [error];
      await sync.now();
      expect(heard[1]).toMatch(/^failed/);
      expect(await refreshedAt(60_000)).toEqual([]);
    },
  );

  it('where heads are listened for is asked itself, a moment later', async () => {
    await sync.now();
    heads.begun[0]!.onLost();
    expect(heard.slice(1)).toEqual(['offline']);
    expect(await refreshedAt(2_000)).toEqual([1_000]);
    expect([heads.begun.length, heads.ended]).toEqual([1, 0]);
  });
});

describe('a journal that was closed', () => {
  it('is not refreshed by the network, nor by a retry that was due', async () => {
    faults = [fault('broker_unreachable')];
    await sync.now();
    sync.stop();
    page.dispatchEvent(new Event('online'));
    expect(await refreshedAt(60_000)).toEqual([]);
  });

  it('while it was being refreshed listens to nothing, and fails no more', async () => {
    const refreshing = sync.now();
    sync.stop();
    await refreshing;
    expect(heads.begun).toEqual([]);
    faults = [fault('rollback')];
    await sync.now();
    expect(heard).toEqual(['refresh', 'refresh']);
  });
});
