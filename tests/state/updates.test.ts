import './runes.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

// Which service worker may take a page over without loading it anew: what somebody is typing there would be lost.

const { Updates } = await import('../../src/lib/state/updates.svelte.ts');

class Container extends EventTarget {
  controller: object | null = null;

  takeOver(controller: object): void {
    this.controller = controller;
    this.dispatchEvent(new Event('controllerchange'));
  }
}

type Slots = Partial<Record<'installing' | 'waiting' | 'active', object>>;

const [first, second] = [{ version: 1 }, { version: 2 }];
const reload = vi.fn();
let container: Container;

beforeEach(() => {
  container = new Container();
  vi.stubGlobal('navigator', { serviceWorker: container });
  vi.stubGlobal('document', new EventTarget());
  vi.stubGlobal('location', { reload });
});
afterEach(() => {
  vi.unstubAllGlobals();
  reload.mockClear();
});

/** A page that looks out from here on. @param controller what it was loaded through */
function page(slots: Slots, controller: object | null): void {
  container.controller = controller;
  const registration = Object.assign(new EventTarget(), { installing: null, waiting: null, active: null });
  new Updates().watch(Object.assign(registration, slots) as unknown as ServiceWorkerRegistration);
}

it.each<[string, Slots]>([
  ['is just being installed', { installing: first }],
  ['was installed by another page a moment ago', { active: first }],
  ['is not told of yet', {}],
])('the first one takes over the page that has none, when it %s', (_, slots) => {
  page(slots, null);
  container.takeOver(first);
  container.takeOver(first); // Some browsers say it twice.
  expect(reload).not.toHaveBeenCalled();
});

it.each<[string, object | null]>([
  ['that the one before had', first],
  ['that was loaded past it', null],
])('another one than the page came with loads a page anew %s', (_, controller) => {
  page({ active: first }, controller);
  container.takeOver(second);
  expect(reload).toHaveBeenCalledOnce();
});

it('the next version loads a page anew that saw the first one come', () => {
  page({ installing: first }, null);
  container.takeOver(first);
  container.takeOver(second);
  expect(reload).toHaveBeenCalledOnce();
});
