import { BYSTANDER, SERVICE_WORKER_URL, scriptUrl } from '../worker/scripts.ts';

/** A first visit waits this long for the service worker before a download goes another way. */
const READY_WITHIN_MS = 4_000;

/** Registers the service workers, in builds only: in development there are none. A browser without keeps working. */
export function registerServiceWorker(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  // The narrower scope first: what it covers is not claimed by the other.
  Promise.all([register(BYSTANDER.url, BYSTANDER.scope), register(SERVICE_WORKER_URL, '/')]).catch(
    (error: unknown) => {
      console.warn('the service worker was not registered', error);
    },
  );
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
