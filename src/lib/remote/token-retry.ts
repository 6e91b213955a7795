import { HalfkeyError } from '../errors.ts';
import type { Broker } from './broker.ts';
import { LOCKS } from '../concurrency/locks.ts';

/**
 * The same broker, where a renewal of the session's token ends no session: what was under way with the old token, in
 * this tab or in another, is asked once more as soon as the browser has the new one. Of a request that is refused for
 * its token nothing took effect.
 */
export function withTokenRetry(broker: Broker, locks: LockManager): Broker {
  return {
    async call(route, request, options) {
      const ask = () => broker.call(route, request, options);
      if (route.renewsToken) return locks.request(LOCKS.token, ask);
      try {
        return await ask();
      } catch (error) {
        const isRefused = error instanceof HalfkeyError && error.code === 'session_missing';
        if (route.stage !== 'full' || !isRefused) throw error;
        return locks.request(
          LOCKS.token,
          { mode: 'shared', ...(options?.signal && { signal: options.signal }) },
          ask,
        );
      }
    },
  };
}
