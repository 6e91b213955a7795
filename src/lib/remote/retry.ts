import { HalfkeyError } from '../errors.ts';

const FIRST_MS = 500;
const CEILING_MS = 30_000;
/** About three minutes of a dead network; after that people are asked. */
const ATTEMPTS = 10;

/**
 * Milliseconds to wait before attempt `attempt` (1-based): exponential, with full jitter so that many do not return at
 * once.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return Math.min(CEILING_MS, FIRST_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2);
}

/** Waits, or ends at once with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}

/**
 * Each try has a fresh URL: one that is called expired so often is refused for another reason, which no further try
 * mends.
 */
const URL_ATTEMPTS = 3;
/** Unreachable, and lasting: somebody has to do something about it at the other end. */
const LASTING = new Set(['kms_key_unusable']);

/** How often something is done, all in all, that ends in this error. */
export function attemptsWorth(error: unknown): number {
  if (!(error instanceof HalfkeyError) || LASTING.has(error.code)) return 1;
  if (error.code === 'url_expired') return URL_ATTEMPTS;
  return error.family === 'unreachable' || error.code === 'too_many_requests' ? ATTEMPTS : 1;
}

/**
 * What an error means that is no better after all attempts: who says no to URLs that were just signed has a reason of
 * its own.
 */
export function afterAll(error: unknown): unknown {
  if (!(error instanceof HalfkeyError) || error.code !== 'url_expired') return error;
  const { detail } = error;
  return new HalfkeyError('store_refused', 'the store refused a fresh URL', { cause: error, detail });
}

/**
 * Tries again what is unreachable, with growing pauses; everything else fails at once. Each try begins from scratch, so
 * a URL that expired is a fresh one the next time.
 */
export async function retry<Result>(attempt: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (let count = 1; ; count++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HalfkeyError) || count >= attemptsWorth(error)) throw afterAll(error);
      const waitMs = (error.detail.retryAfterSeconds ?? 0) * 1000;
      await pause(Math.max(waitMs, backoffMs(count)), signal);
    }
  }
}
