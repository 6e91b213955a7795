import { keysGenerate } from '$contract/vault-keys.ts';
import { HalfkeyError, type ErrorCode } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';

/** Hears how each request to the broker went. */
export interface BrokerWatcher {
  answered(): void;
  /** @param isOfMaking whether it was asked to make halves, and not to open any */
  refused(code: ErrorCode, isOfMaking: boolean): void;
  /** So many halves are asked for. */
  making(count: number): void;
}

/** The same broker, watched: what a refusal says about grant, session and connection counts wherever it was met. */
export function watchBroker(broker: Broker, watcher: BrokerWatcher): Broker {
  return {
    async call(route, request, options) {
      const making = halvesIn(route.path, request);
      if (making > 0) watcher.making(making);
      try {
        const answer = await broker.call(route, request, options);
        watcher.answered();
        return answer;
      } catch (error) {
        if (error instanceof HalfkeyError) watcher.refused(error.code, making > 0);
        throw error;
      }
    },
  };
}

/** Halves that a request asks the broker to make. */
function halvesIn(path: string, request: unknown): number {
  return path === keysGenerate.path ? (request as { blobs: readonly unknown[] }).blobs.length : 0;
}
