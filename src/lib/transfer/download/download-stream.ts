import { release, type Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';

// Worker to service worker, on a port of their own: the service worker asks for a chunk when the browser's download
// wants one, so nothing piles up. It holds no key, and sees a download's bytes under a random one-time URL.

/** How often the service worker says `alive`, for as long as it has the download. */
export const ALIVE_EVERY_MS = 5_000;
/** A busy machine may be late with some. (One that slept misses none: its own count slept too.) */
const MISSED_BEATS = 12;

/** What the service worker says on the port. */
export interface StreamDemand {
  readonly kind: 'pull' | 'cancel' | 'alive';
}

/**
 * What it is answered. `failed` makes the browser mark the download as failed: a file that ends early is never offered
 * as whole.
 */
export type StreamSupply =
  { readonly kind: 'chunk'; readonly bytes: Bytes } | { readonly kind: 'end' } | { readonly kind: 'failed' };

/** Larger messages cost less each; a segment is already half a megabyte. */
const CHUNK_BYTES = 2 * 1024 * 1024;

/**
 * Feeds `source` to anyone who pulls at `port`, until its end; the source's bytes are released.
 * @throws what the source throws, the signal's reason; AbortError when the download was cancelled in the browser;
 *   {HalfkeyError} `download_cut` when the service worker is gone: a browser may end it at any time
 */
export async function feed(
  source: AsyncIterable<Bytes>,
  port: MessagePort,
  signal: AbortSignal,
): Promise<void> {
  const { nextDemand, stop } = listen(port, signal);
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
    stop();
  }
}

function listen(
  port: MessagePort,
  signal: AbortSignal,
): { nextDemand: () => Promise<'pull' | 'cancel'>; stop: () => void } {
  const arrived: ('pull' | 'cancel')[] = [];
  let missedBeats = 0;
  let wake: () => void = () => undefined;
  const wakeUp = () => {
    wake();
  };
  port.onmessage = ({ data }: MessageEvent<StreamDemand>) => {
    missedBeats = 0;
    if (data.kind === 'alive') return;
    arrived.push(data.kind);
    wakeUp();
  };
  const beat = setInterval(() => {
    missedBeats += 1;
    if (missedBeats > MISSED_BEATS) wakeUp();
  }, ALIVE_EVERY_MS);
  signal.addEventListener('abort', wakeUp);
  return {
    async nextDemand() {
      for (;;) {
        signal.throwIfAborted();
        const kind = arrived.shift();
        if (kind !== undefined) return kind;
        if (missedBeats > MISSED_BEATS)
          throw new HalfkeyError('download_cut', 'the service worker is silent');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    stop() {
      clearInterval(beat);
      signal.removeEventListener('abort', wakeUp);
      port.onmessage = null;
    },
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
    release(bytes);
  }
  if (filled > 0) yield buffer.slice(0, filled);
}
