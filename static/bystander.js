// The service worker of the crypto worker's folder. It does nothing, and listens to nothing: the browser then sends requests of what it
// controls straight to the network. The app's own service worker would be handed each part of an upload as it passes, and hold it until
// its garbage is collected.
