import { serveOpaque, type ToOpaque } from './opaque-flow.ts';

const serve = serveOpaque((message, transfer = []) => {
  // TypeScript's library for pages takes `self` for a window, whose postMessage wants an origin here.
  (globalThis as unknown as Worker).postMessage(message, transfer);
});

globalThis.addEventListener('message', (event: MessageEvent<ToOpaque>) => {
  void serve(event); // It answers for itself, whatever happens.
});
