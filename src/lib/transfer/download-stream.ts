import type { Bytes } from '../bytes.ts';

// Worker to service worker, on a port of their own: the service worker asks for a chunk when the browser's download wants one, so
// nothing piles up. It holds no key, and sees a download's bytes under a random one-time URL.

/** What the service worker says on the port. */
export type StreamDemand = { readonly kind: 'pull' } | { readonly kind: 'cancel' };

/** What it is answered. `failed` makes the browser mark the download as failed: a file that ends early is never offered as whole. */
export type StreamSupply =
  { readonly kind: 'chunk'; readonly bytes: Bytes } | { readonly kind: 'end' } | { readonly kind: 'failed' };

/** Larger messages cost less each; a segment is already half a megabyte. */
const CHUNK_BYTES = 2 * 1024 * 1024;

/**
 * Feeds `source` to whoever pulls at `port`, until its end.
 * @throws what the source throws, the signal's reason; AbortError when the download was cancelled in the browser
 */
export async function feed(
  source: AsyncIterable<Bytes>,
  port: MessagePort,
  signal: AbortSignal,
): Promise<void> {
  const nextDemand = listen(port, signal);
  const supply = (message: StreamSupply, transfer: Transferable[] = []) => {
    port.postMessage(message, transfer);
  };
  try {
    for await (const bytes of gathered(source)) {
      if ((await nextDemand()) === 'cancel')
        throw new DOMException('the download was cancelled', 'AbortError');
      supply({ kind: 'chunk', bytes }, [bytes.buffer]);
    }
    supply({ kind: 'end' });
  } catch (error) {
    supply({ kind: 'failed' });
    throw error;
  } finally {
    port.onmessage = null;
  }
}

function listen(port: MessagePort, signal: AbortSignal): () => Promise<StreamDemand['kind']> {
  const arrived: StreamDemand['kind'][] = [];
  let wake: () => void = () => undefined;
  const wakeUp = () => {
    wake();
  };
  port.onmessage = ({ data }: MessageEvent<StreamDemand>) => {
    arrived.push(data.kind);
    wakeUp();
  };
  signal.addEventListener('abort', wakeUp);
  return async () => {
    for (;;) {
      signal.throwIfAborted();
      const kind = arrived.shift();
      if (kind !== undefined) return kind;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

/** Segments put together into buffers of their own, which can be given away whole. */
async function* gathered(source: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let buffer = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  for await (const bytes of source) {
    let offset = 0;
    while (offset < bytes.length) {
      const room = bytes.subarray(offset, offset + CHUNK_BYTES - filled);
      buffer.set(room, filled);
      filled += room.length;
      offset += room.length;
      if (filled < CHUNK_BYTES) continue;
      yield buffer;
      buffer = new Uint8Array(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.slice(0, filled);
}
