import { concat } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { STALL_MS } from './answer-pace.ts';

type Unreachable = 'store_unreachable' | 'broker_unreachable';

/** Less than this in so much time is not progress, else a byte a minute would hold its reader for ever. */
const MIN_BYTES_PER_STALL = 16 * 1024;

/**
 * What the body of an answer gives, as it comes.
 * @param unreachable what it is called when it does not: anyone who asked knows who was asked
 * @throws {HalfkeyError} `unreachable` when it is cut, or when next to nothing has come for a minute of waiting; the
 *   reason of the signal that the stream was asked for with
 */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  unreachable: Unreachable,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  // Of waiting alone: how long the reader of these takes over one is its own affair.
  let leftMs = STALL_MS;
  let cameBytes = 0;
  try {
    for (;;) {
      const askedAtMs = performance.now();
      const { done, value } = await inTime(reader.read(), leftMs, unreachable);
      if (done) return;
      cameBytes += value.length;
      leftMs -= performance.now() - askedAtMs;
      if (cameBytes >= MIN_BYTES_PER_STALL) [leftMs, cameBytes] = [STALL_MS, 0];
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/**
 * The whole of a body.
 * @throws {HalfkeyError} as `chunksOf`; `input_too_large` beyond `maxBytes`, whatever length was declared: an encoding
 *   may hide it
 */
export async function gather(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  unreachable: Unreachable,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunksOf(stream, unreachable)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new HalfkeyError('input_too_large', `expected at most ${String(maxBytes)} bytes`);
    chunks.push(chunk);
  }
  return concat(...chunks);
}

/**
 * Asks, and waits no longer for an answer's beginning. What is not waited for any more is called off: a browser has six
 * connections.
 * @throws {HalfkeyError} `unreachable` when it takes longer, or is cut; the signal's reason
 */
export async function answerTo(
  url: URL | string,
  init: RequestInit,
  { limitMs, unreachable, signal }: { limitMs: number; unreachable: Unreachable; signal?: AbortSignal },
): Promise<Response> {
  const late = new AbortController();
  const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  try {
    return await inTime(fetch(url, { ...init, signal: either }), limitMs, unreachable);
  } catch (cause) {
    late.abort();
    signal?.throwIfAborted();
    throw cause;
  }
}

/** fetch waits for ever on a line that has died without a word. */
export async function inTime<Result>(
  moving: Promise<Result>,
  limitMs: number,
  unreachable: Unreachable,
): Promise<Result> {
  let stall: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    stall = setTimeout(() => {
      reject(new HalfkeyError(unreachable, `nothing came for ${String(limitMs)} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([moving, stalled]);
  } catch (cause) {
    if (cause instanceof HalfkeyError || isAbort(cause)) throw cause;
    throw new HalfkeyError(unreachable, 'the connection was cut', { cause });
  } finally {
    clearTimeout(stall);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
