// The service worker of the crypto worker's folder. It listens to no request: the browser then sends requests of what it controls straight
// to the network. The app's own service worker would be handed each part of an upload as it passes, and hold it until its garbage is
// collected.

// The worker's script itself comes from where the app's service worker has put it, with its digest checked: by a rule that the browser
// follows by itself. Browsers without such rules take it from their cache of files that never change, or from the network.
const SCRIPT_FROM_SHELL = {
  condition: { urlPattern: '/_app/immutable/workers/*', requestDestination: 'worker' },
  source: { cacheName: `workbox-precache-v2-${location.origin}/` },
};

addEventListener('install', (event) => {
  const ruled = event.addRoutes?.(SCRIPT_FROM_SHELL);
  // A browser whose rules are other ones is as good as one without.
  event.waitUntil(ruled?.catch(() => undefined));
});
