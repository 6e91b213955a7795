import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Updates } from '../../src/lib/state/updates.svelte.ts';
import { TestLocks } from '../support/test-locks.ts';

const HOUR_MS = 60 * 60_000;
let container: EventTarget;
let page: EventTarget & { visibilityState: string };
let reloads: number;
let locks: TestLocks;

/** A worker that a registration has: told messages, and its state may change. */
class Script extends EventTarget {
  readonly told: unknown[] = [];

  postMessage(message: unknown): void {
    this.told.push(message);
  }
}
class Registration extends EventTarget {
  active: Script | null = new Script();
  waiting: Script | null = null;
  installing: Script | null = null;
  looked = 0;

  update(): Promise<void> {
    this.looked += 1;
    return Promise.reject(new TypeError('no network'));
  }

  /** A newer version is loaded, and waits. */
  load(): Script {
    const script = new Script();
    this.installing = script;
    this.dispatchEvent(new Event('updatefound'));
    [this.installing, this.waiting] = [null, script];
    script.dispatchEvent(new Event('statechange'));
    return script;
  }
}

beforeEach(() => {
  [container, reloads, locks] = [new EventTarget(), 0, new TestLocks()];
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.useFakeTimers();
  asTab(() => undefined);
  vi.stubGlobal('document', page);
  vi.stubGlobal('location', { reload: () => void (reloads += 1) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Does something as another page of this origin: the locks know them apart. */
function asTab(work: () => void): void {
  vi.stubGlobal('navigator', { serviceWorker: container, locks: locks.client().locks });
  work();
}
function watched(registration = new Registration()) {
  const updates = new Updates();
  updates.watch(registration as unknown as ServiceWorkerRegistration);
  return { updates, registration };
}

describe('a newer version', () => {
  it('is offered once it has been loaded, also when that was before this page', () => {
    const { updates, registration } = watched();
    expect(updates.isReady).toBe(false);
    registration.load();
    expect(updates.isReady).toBe(true);

    const early = new Registration();
    early.waiting = new Script();
    expect(watched(early).updates.isReady).toBe(true);
  });

  it('is none where there was nothing before', () => {
    const first = new Registration();
    first.active = null;
    const { updates, registration } = watched(first);
    registration.load();
    expect(updates.isReady).toBe(false);
  });

  it('that is not what was built is told of, until another has been loaded', () => {
    const { updates, registration } = watched();
    container.dispatchEvent(Object.assign(new Event('message'), { data: { kind: 'something-else' } }));
    expect(updates.isRejected).toBe(false);
    container.dispatchEvent(Object.assign(new Event('message'), { data: { kind: 'update-rejected' } }));
    expect(updates.isRejected).toBe(true);
    registration.load();
    expect(updates.isRejected).toBe(false);
  });

  it('is taken when somebody says so: it takes over, and then the page is loaded anew', async () => {
    const { updates, registration } = watched();
    const script = registration.load();
    const taken = updates.take();
    await vi.advanceTimersByTimeAsync(0);
    expect(script.told).toEqual([{ kind: 'take-over' }]);
    expect(reloads).toBe(0);
    container.dispatchEvent(new Event('controllerchange'));
    expect([await taken, reloads]).toEqual([true, 1]);
  });

  it('that does not take over in time leaves the page as it was', async () => {
    const { updates, registration } = watched();
    registration.load();
    const taken = updates.take();
    await vi.runAllTimersAsync();
    expect([await taken, reloads]).toEqual([true, 0]);
  });

  it('is not taken while a page of this origin is busy, and is once that has ended', async () => {
    const { updates, registration } = watched();
    const script = registration.load();
    const other = new Updates();
    asTab(() => {
      other.setBusy(true);
      other.setBusy(true);
    });
    asTab(() => undefined);
    expect(await updates.take()).toBe(false);
    expect(script.told).toEqual([]);
    other.setBusy(false);
    await vi.advanceTimersByTimeAsync(0);
    void updates.take();
    await vi.advanceTimersByTimeAsync(0);
    expect(script.told).toHaveLength(1);
  });
});

describe('the service worker of a page', () => {
  it('that another takes the place of ends the page: its scripts do not fit', () => {
    watched();
    container.dispatchEvent(new Event('controllerchange'));
    expect(reloads).toBe(1);
  });

  it('that is its first takes over without that; the next one does not', () => {
    const first = new Registration();
    first.active = null;
    watched(first);
    container.dispatchEvent(new Event('controllerchange'));
    expect(reloads).toBe(0);
    container.dispatchEvent(new Event('controllerchange'));
    expect(reloads).toBe(1);
  });
});

it('looks for a newer version when it is looked at again, once an hour, with or without a network', async () => {
  const { registration } = watched();
  const look = (visibilityState: string, afterMs: number) => {
    vi.advanceTimersByTime(afterMs);
    page.visibilityState = visibilityState;
    page.dispatchEvent(new Event('visibilitychange'));
    return registration.looked;
  };
  expect(look('visible', HOUR_MS - 1)).toBe(0);
  expect(look('hidden', 1)).toBe(0);
  expect(look('visible', 0)).toBe(1);
  expect(look('visible', HOUR_MS - 1)).toBe(1);
  expect(look('visible', 1)).toBe(2);
  await vi.advanceTimersByTimeAsync(0);
});
