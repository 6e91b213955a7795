import type { FromServiceWorker, ToServiceWorker } from '../../service-worker/messages.ts';
import { LOCKS } from '../concurrency/locks.ts';

/** A page may stay open for weeks: it asks for a new version when it is looked at again, but not each time. */
const LOOK_EVERY_MS = 60 * 60_000;
/** A service worker that has not taken over by then never will; the page goes on as it was. */
const TAKES_OVER_WITHIN_MS = 10_000;

/**
 * A newer version of this app: offered, and taken when somebody says so and no page of this origin is in the middle of
 * something.
 */
export class Updates {
  #waiting = $state.raw<ServiceWorker | undefined>();
  #isRejected = $state.raw(false);
  #endBusy: (() => void) | undefined;

  /** Whether a new version has been loaded, and waits. */
  get isReady(): boolean {
    return this.#waiting !== undefined;
  }

  /** Whether a new version was refused because it is not what was built, and none has been loaded since. */
  get isRejected(): boolean {
    return this.#isRejected;
  }

  /** Looks out for versions that come after the one that serves this page. */
  watch(registration: ServiceWorkerRegistration): void {
    const { serviceWorker } = navigator;
    /** Of the version that this page was loaded from: there may be one that has not taken this page over yet. */
    const own = registration.active ?? registration.waiting ?? registration.installing;
    let controller = serviceWorker.controller;
    const offer = () => {
      // Without an active one it is the first, and nothing is new.
      if (!registration.waiting || !registration.active) return;
      this.#waiting = registration.waiting;
      this.#isRejected = false;
    };
    offer();
    serviceWorker.addEventListener('message', (event) => {
      if ((event.data as FromServiceWorker | undefined)?.kind === 'update-rejected') this.#isRejected = true;
    });
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', offer);
    });
    serviceWorker.addEventListener('controllerchange', () => {
      const before = controller;
      controller = serviceWorker.controller;
      if (controller === before) return;
      // The page's own takes over a page that had none; the scripts of any other do not fit this page's.
      const isOwn = before === null && (own === null || controller === own);
      if (!isOwn) location.reload();
    });
    let lookedAtMs = Date.now();
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible' || Date.now() - lookedAtMs < LOOK_EVERY_MS) return;
      lookedAtMs = Date.now();
      registration.update().catch(() => undefined); // Without a network there is nothing new.
    });
  }

  /** Says whether this page is in the middle of something that loading it anew would end. */
  setBusy(isBusy: boolean): void {
    if (!isBusy) {
      this.#endBusy?.();
      this.#endBusy = undefined;
    } else if (!this.#endBusy) {
      const ended = new Promise<void>((resolve) => (this.#endBusy = resolve));
      void navigator.locks.request(LOCKS.pageBusy, { mode: 'shared' }, () => ended);
    }
  }

  /**
   * Lets the new version take over; every page of this origin is loaded anew then, this one too.
   * @returns false when some page is busy, and then nothing has changed
   */
  async take(): Promise<boolean> {
    const waiting = this.#waiting;
    if (!waiting) return true;
    return navigator.locks.request(LOCKS.pageBusy, { ifAvailable: true }, async (lock) => {
      if (!lock) return false;
      // No page becomes busy before the change has reached all pages.
      const changed = new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true });
        setTimeout(resolve, TAKES_OVER_WITHIN_MS);
      });
      waiting.postMessage({ kind: 'take-over' } satisfies ToServiceWorker);
      await changed;
      return true;
    });
  }

  /** Resolves once nothing is under way in any page that was busy when this was asked. */
  async idle(): Promise<void> {
    await navigator.locks.request(LOCKS.pageBusy, () => undefined);
  }
}
