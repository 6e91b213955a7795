import { serveOpaque, type ToOpaque } from '../../src/lib/account/opaque-flow.ts';

/** In place of the browser's Worker in Node, which has none: the worker that runs OPAQUE, in this very thread. */
class OpaqueInProcess extends EventTarget {
  #isRunning = true;
  readonly #serve = serveOpaque((data) => {
    if (this.#isRunning) this.dispatchEvent(new MessageEvent('message', { data }));
  });

  postMessage(data: ToOpaque): void {
    if (this.#isRunning) void this.#serve(new MessageEvent('message', { data }));
  }

  terminate(): void {
    this.#isRunning = false;
  }
}

// Tests of the page's side of a worker bring their own.
Object.assign(globalThis, { Worker: OpaqueInProcess });
