import * as v from 'valibot';
import { Count } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { BrokerProblem } from '../problem.ts';
import type { Records } from '../state/records.ts';
import { stateKeys } from '../state/state-keys.ts';

/** So many logins at once, and then one in each interval: a slow-down, and no lock. */
export const LOGINS_AT_ONCE = 20;
export const LOGIN_INTERVAL_MS = 30_000;

/** When the bucket of tokens will have been filled up again. */
const Pace = v.strictObject({ fullAtMs: Count });

/**
 * Counts logins at their start, by name, whether or not the name exists. A device that signed in before has a counter of its
 * own, so that strangers who guess do not keep the user out.
 * @returns a function that counts one. It throws BrokerProblem `too_many_requests` with the seconds to wait
 */
export function createLoginPace(records: Records, clock: Clock) {
  return async (nameId: string, knownDevice: string | undefined): Promise<void> => {
    await records.update(stateKeys.loginPace(nameId, knownDevice), Pace, (stored) => {
      const now = clock();
      const fullAtMs = Math.max(stored?.fullAtMs ?? 0, now) + LOGIN_INTERVAL_MS;
      const overMs = fullAtMs - now - LOGINS_AT_ONCE * LOGIN_INTERVAL_MS;
      if (overMs > 0) {
        throw new BrokerProblem('too_many_requests', { retryAfterSeconds: Math.ceil(overMs / 1000) });
      }
      return { fullAtMs };
    });
  };
}
