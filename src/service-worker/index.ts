/// <reference lib="webworker" />
import { createHandlerBoundToURL } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { answerDownload, expectDownload, isDownload } from './downloads.ts';
import { UPLOADS_TAG, type ToServiceWorker } from './messages.ts';
import { pumpUploads } from './queue.ts';
import { giveShare, isShare, receiveShare } from './shares.ts';
import { precacheShell } from './shell.ts';

// The shell, so that the app starts without a network; the pipe of downloads; the door for what other apps share. It
// holds no key, and no file's bytes at rest.

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

/** Background Sync, which TypeScript's types do not know: there is a network, and a page asked to be told. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

precacheShell();
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/app.html'), { denylist: [/^\/api\//, /^\/dl\//] }),
);
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && isDownload(url),
  ({ url }) => Promise.resolve(answerDownload(url)),
);
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && isShare(url),
  ({ request }) => receiveShare(request),
  'POST',
);

worker.addEventListener('message', (event) => {
  const message = event.data as ToServiceWorker;
  switch (message.kind) {
    case 'download':
      expectDownload(message, event.ports);
      return;
    case 'shared':
      giveShare(message.share, event.ports[0]);
      return;
    case 'take-over':
      void worker.skipWaiting();
      return;
    case 'awake':
      return;
    default:
      message satisfies never;
  }
});

// The first visit's page is served by this worker at once: downloads need it.
worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim());
});

// What waits goes up although no page is open. It is sealed; the session's key signs the requests.
worker.addEventListener('sync' as 'activate', (event) => {
  if ((event as SyncEvent).tag === UPLOADS_TAG) event.waitUntil(pumpUploads());
});
