import { UPLOADS_TAG } from '../../service-worker/messages.ts';
import { BYSTANDER, SERVICE_WORKER_URL, scriptUrl } from '../worker/scripts.ts';

/** A first visit waits this long for the service worker before a download goes another way. */
const READY_WITHIN_MS = 4_000;

/** Background Sync, which only Chromium has and TypeScript's DOM types do not know. */
interface WithSync {
  readonly sync?: { register(tag: string): Promise<void> };
}

/**
 * Registers the service workers, in builds only: in development there are none. A browser without keeps working.
 * @returns undefined where there is none
 */
export async function registerServiceWorker(): Promise<ServiceWorkerRegistration | undefined> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return undefined;
  try {
    // The narrower scope first: what it covers is not claimed by the other.
    const [, registration] = await Promise.all([
      register(BYSTANDER.url, BYSTANDER.scope),
      register(SERVICE_WORKER_URL, '/'),
    ]);
    return registration;
  } catch (error) {
    console.warn('the service worker was not registered', error);
    return undefined;
  }
}

function register(url: string, scope: string): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register(scriptUrl(url), { scope, updateViaCache: 'none' });
}

/** The active service worker, or undefined when there is none in time. */
export async function activeServiceWorker(): Promise<ServiceWorker | undefined> {
  if (!('serviceWorker' in navigator)) return undefined;
  const registration = await navigator.serviceWorker.getRegistration();
  if (!registration) return undefined;
  if (registration.active) return registration.active;
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, READY_WITHIN_MS, undefined));
  const ready = navigator.serviceWorker.ready.then(({ active }) => active ?? undefined);
  return Promise.race([ready, late]);
}

/**
 * Asks the browser to wake the service worker once there is a network, even if no page is open then. Some browsers
 * cannot.
 */
export async function sendUploadsLater(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const registration = (await navigator.serviceWorker.getRegistration()) as WithSync | undefined;
  // Refused where the user has switched it off: then the next visit sends them.
  await registration?.sync?.register(UPLOADS_TAG).catch(() => undefined);
}
