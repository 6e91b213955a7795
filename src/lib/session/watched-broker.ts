import { HalfkeyError, type ErrorCode } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';

/** Hears how each request to the broker went. */
export interface BrokerWatcher {
  answered(): void;
  refused(code: ErrorCode): void;
}

/** The same broker, watched: what a refusal says about grant, session and connection counts wherever it was met. */
export function watchBroker(broker: Broker, watcher: BrokerWatcher): Broker {
  return {
    async call(route, request, options) {
      try {
        const answer = await broker.call(route, request, options);
        watcher.answered();
        return answer;
      } catch (error) {
        if (error instanceof HalfkeyError) watcher.refused(error.code);
        throw error;
      }
    },
  };
}
