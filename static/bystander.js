// The service worker of the crypto worker's folder. What the crypto worker asks for goes straight to the network, and
// above all the parts of an upload do: the app's own service worker would be handed each of them as it passes, and hold
// it until its garbage is collected. Scripts alone come from where the app's service worker has put them, with their
// digests checked.

const SHELL = `workbox-precache-v2-${location.origin}/`;
const SCRIPTS = '/_app/immutable/';

// Chromium follows rules by itself: there this worker listens to no request, and none is held up by it.
const knowsRules = 'addRoutes' in (globalThis.InstallEvent?.prototype ?? {});

if (knowsRules) {
  addEventListener('install', (event) => {
    const ruled = event.addRoutes({
      condition: { urlPattern: `${SCRIPTS}workers/*`, requestDestination: 'worker' },
      source: { cacheName: SHELL },
    });
    // A browser whose rules are other ones is as good as one without.
    event.waitUntil(ruled.catch(() => undefined));
  });
} else {
  addEventListener('fetch', (event) => {
    const { method, url } = event.request;
    const { origin, pathname } = new URL(url);
    // Whatever is not answered here goes on as if nobody had been asked.
    if (method === 'GET' && origin === location.origin && pathname.startsWith(SCRIPTS)) {
      event.respondWith(fromShell(event.request));
    }
  });
}

// WebKit starts a controlled worker without looking into its own cache of files that never change: a network alone
// would do.
async function fromShell(request) {
  const shell = await caches.open(SHELL);
  return (await shell.match(request.url)) ?? fetch(request);
}
