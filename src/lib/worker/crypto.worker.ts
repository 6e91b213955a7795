import { createHandlers } from './wiring.ts';
import { serve } from './serve.ts';

const post = (message: unknown, transfer: Transferable[] = []): void => {
  // TypeScript's library for pages takes `self` for a window, whose postMessage wants an origin here.
  (globalThis as unknown as Worker).postMessage(message, transfer);
};

const handlers = createHandlers(globalThis.location.origin, (report) => {
  post({ kind: 'report', report });
});

globalThis.addEventListener('message', serve(handlers, post));
