import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Updates } from '../../src/lib/state/updates.svelte.ts';
import { TestLocks } from '../support/test-locks.ts';

const HOUR_MS = 60 * 60_000;
let container: Container;
let page: EventTarget & { visibilityState: string };
let reloads: number;
let locks: TestLocks;

/** What a page knows of service workers. */
class Container extends EventTarget {
  controller: object | null = null;

  takeOver(controller: object): void {
    this.controller = controller;
    this.dispatchEvent(new Event('controllerchange'));
  }
}

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
  [container, reloads, locks] = [new Container(), 0, new TestLocks()];
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
    container.takeOver(script);
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

  it('that had to wait hears when nothing is under way in any page any more', async () => {
    const { updates } = watched();
    const other = new Updates();
    asTab(() => {
      other.setBusy(true);
    });
    asTab(() => undefined);
    let isIdle = false;
    void updates.idle().then(() => (isIdle = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(isIdle).toBe(false);
    other.setBusy(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(isIdle).toBe(true);
  });
});

describe('the service worker of a page', () => {
  const [own, next] = [new Script(), new Script()];
  /** A page that looks out from here on. @param controller what it was loaded through */
  function page(
    slots: Partial<Record<'installing' | 'active', Script | null>>,
    controller: Script | null,
  ): void {
    container.controller = controller;
    watched(Object.assign(new Registration(), { active: null }, slots));
  }

  it.each([
    ['is just being installed', { installing: own }],
    ['was installed by another page a moment ago', { active: own }],
    ['is not told of yet', {}],
  ])('takes over the page that has none without loading it anew, when it %s', (_, slots) => {
    page(slots, null);
    container.takeOver(own);
    container.takeOver(own); // Some browsers say it twice.
    expect(reloads).toBe(0);
  });

  it.each([
    ['that the one before had', own],
    ['that was loaded past it', null],
  ])(
    'that is another than the page came with loads a page anew %s: its scripts do not fit',
    (_, controller) => {
      page({ active: own }, controller);
      container.takeOver(next);
      expect(reloads).toBe(1);
    },
  );

  it('that is the next version loads a page anew that saw the first one come', () => {
    page({ installing: own }, null);
    container.takeOver(own);
    container.takeOver(next);
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
