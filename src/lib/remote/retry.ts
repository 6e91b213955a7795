import { HalfkeyError } from '../errors.ts';

const FIRST_MS = 500;
const CEILING_MS = 30_000;
/** About three minutes of a dead network; after that people are asked. */
const ATTEMPTS = 10;

/** Milliseconds to wait before attempt `attempt` (1-based): exponential, with full jitter so that many do not return at once. */
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
 * Tries again what is unreachable, with growing pauses; everything else fails at once. Each try begins from scratch, so a URL that
 * expired is a fresh one the next time.
 */
export async function retry<Result>(attempt: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (let count = 1; ; count++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const again =
        error instanceof HalfkeyError &&
        (error.family === 'unreachable' || error.code === 'too_many_requests');
      if (!again || count >= ATTEMPTS) throw error;
      const waitMs = (error.detail.retryAfterSeconds ?? 0) * 1000;
      await pause(Math.max(waitMs, backoffMs(count)), signal);
    }
  }
}
