import { setTimeout as delay } from 'node:timers/promises';
import { BrokerProblem } from '../domain/problem.ts';
import { faultStatus } from './vault-faults.ts';

/** With their pauses these take 2.5 s in the mean and 5 s at most: the time for a request is not over by then. */
const TRIES = 8;
const PAUSE_MS = 20;

/**
 * Sends a conditional write again for as long as S3 answers 409: another one of the same key is under way, and which of
 * the two wins is open until it has ended (ConditionalRequestConflict). Any other failure comes through.
 * @throws BrokerProblem `store_unreachable`, with seconds to wait, when that does not end
 */
export async function throughConflicts<Result>(write: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (faultStatus(error) !== 409) throw error;
      if (tries === TRIES) {
        throw new BrokerProblem('store_unreachable', { retryAfterSeconds: 1, cause: error });
      }
      await delay(Math.random() * PAUSE_MS * 2 ** tries);
    }
  }
}
