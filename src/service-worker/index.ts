/// <reference lib="webworker" />
import { build, files, version } from '$service-worker';
import { createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { answerDownload, expectDownload, isDownload } from './downloads.ts';

// The shell, so that the app starts without a network, and the pipe of downloads. It holds no key and no file's bytes at rest.

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

precacheAndRoute([
  ...build.map((url) => ({ url, revision: null })),
  ...files.map((url) => ({ url, revision: version })),
  { url: '/app.html', revision: version },
]);
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/app.html'), { denylist: [/^\/api\//, /^\/dl\//] }),
);
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && isDownload(url),
  ({ url }) => Promise.resolve(answerDownload(url)),
);

worker.addEventListener('message', expectDownload);

// The first visit's page is served by this worker at once: downloads need it.
worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim());
});
