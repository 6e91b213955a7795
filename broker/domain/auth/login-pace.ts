import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import { Count } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { BrokerProblem } from '../problem.ts';
import { lengthPrefixed } from '../state/length-prefixed.ts';
import type { Records } from '../state/records.ts';
import { stateKeys } from '../state/state-keys.ts';

/** So many logins at once, and then one in each interval: a slow-down, and no lock. */
export const LOGINS_AT_ONCE = 20;
export const LOGIN_INTERVAL_MS = 30_000;
/** A network that has begun none for so long may begin one, whatever the others do: a person types no faster. */
const NETWORK_INTERVAL_MS = 60_000;
/** Networks remembered for a name at a time; the one that was quiet for longest is forgotten first. */
const MAX_NETWORKS = 200;

/** `fullAtMs`: when the bucket of tokens will have been filled up again. */
const Pace = v.strictObject({
  fullAtMs: Count,
  /**
   * Who has begun one within NETWORK_INTERVAL_MS, the last one last; by an HMAC, for addresses are nobody's business.
   */
  networks: v.array(v.strictObject({ id: v.string(), atMs: Count })),
});
type Pace = v.InferOutput<typeof Pace>;

/** Who begins a login. */
export interface LoginOrigin {
  /** Where the request comes from: an IPv4 address, or the /48 of an IPv6 one. */
  readonly network: string;
  /** Signed in before; undefined for a stranger. */
  readonly knownDevice: string | undefined;
}

/**
 * Counts logins at their start, by name, whether or not the name exists. A device that signed in before has a counter
 * of its own, and each network a turn of its own, so that strangers who guess do not keep the user out.
 * @param nameKey 32 bytes, from `broker/setup`
 * @returns a function that counts one. It throws BrokerProblem `too_many_requests` with the seconds to wait
 */
export function createLoginPace(records: Records, nameKey: Uint8Array, clock: Clock) {
  const idOf = (network: string): string =>
    createHmac('sha256', nameKey)
      .update(lengthPrefixed('halfkey/network/1', network))
      .digest('base64url')
      .slice(0, 12);

  return async (nameId: string, { network, knownDevice }: LoginOrigin): Promise<void> => {
    await records.update(stateKeys.loginPace(nameId, knownDevice), Pace, (stored) =>
      oneMore(stored ?? { fullAtMs: 0, networks: [] }, idOf(network), clock()),
    );
  };
}

function oneMore({ fullAtMs: before, networks }: Pace, id: string, nowMs: number): Pace {
  const fullAtMs = Math.max(before, nowMs) + LOGIN_INTERVAL_MS;
  const overMs = fullAtMs - nowMs - LOGINS_AT_ONCE * LOGIN_INTERVAL_MS;
  const recent = networks.filter(({ atMs }) => atMs > nowMs - NETWORK_INTERVAL_MS && atMs <= nowMs);
  const own = recent.find((one) => one.id === id);
  if (overMs > 0 && own) {
    const waitMs = Math.min(overMs, own.atMs + NETWORK_INTERVAL_MS - nowMs);
    throw new BrokerProblem('too_many_requests', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  }
  const others = recent.filter((one) => one.id !== id);
  return {
    // A network's own turn takes nothing from what all share.
    fullAtMs: overMs > 0 ? before : fullAtMs,
    networks: [...others, { id, atMs: nowMs }].slice(-MAX_NETWORKS),
  };
}
