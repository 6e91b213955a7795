import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { Sync } from '../../src/lib/drive/sync.ts';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import { listenForHeads } from '../../src/lib/remote/heads.ts';

vi.mock('../../src/lib/remote/heads.ts');

const HEAD = { seq: 7, hash: 'h' };
type Listener = Parameters<typeof listenForHeads>[2];
let page: EventTarget;
let heard: string[];
/** What the next refreshes fail with, in turn; then they go well. */
let faults: Error[];
let current: boolean;
let listeners: Listener[];
let stopped: number;
let sync: Sync;

beforeEach(() => {
  vi.useFakeTimers();
  [page, heard, faults, current, listeners, stopped] = [new EventTarget(), [], [], false, [], 0];
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  vi.mocked(listenForHeads).mockImplementation((_origin, _vault, listener) => {
    listeners.push(listener);
    return () => (stopped += 1);
  });
  sync = new Sync({
    origin: 'https://halfkey.test',
    vault: 'vault' as VaultId,
    refresh: () => {
      heard.push('refresh');
      const fault = faults.shift();
      return fault === undefined ? Promise.resolve() : Promise.reject(fault);
    },
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
    expect([refreshes(), listeners.length]).toEqual([2, 1]);
  });

  it('is refreshed for a head that it does not stand at, and for no other', async () => {
    await sync.now();
    current = true;
    listeners[0]!.onHead(HEAD);
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshes()).toBe(1);
    current = false;
    listeners[0]!.onHead(HEAD);
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshes()).toBe(2);
  });

  it('is refreshed as soon as the network is back', async () => {
    page.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshes()).toBe(1);
  });

  it('tells of the inbox without being refreshed', async () => {
    await sync.now();
    listeners[0]!.onInbox();
    expect(heard).toEqual(['refresh', 'inbox']);
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

  it('over the stream of heads is listened to anew with the next refresh', async () => {
    await sync.now();
    listeners[0]!.onConnection(true);
    listeners[0]!.onConnection(false);
    expect(heard.slice(1)).toEqual(['online', 'offline']);
    expect(await refreshedAt(2_000)).toEqual([1_000]);
    expect([listeners.length, stopped]).toEqual([2, 1]);
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
    expect(listeners).toEqual([]);
    faults = [fault('rollback')];
    await sync.now();
    expect(heard).toEqual(['refresh', 'refresh']);
  });
});
