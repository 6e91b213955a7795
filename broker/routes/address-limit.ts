import { BrokerProblem } from '../domain/problem.ts';
import type { Clock } from '../ports/clock.ts';

/** Addresses remembered at a time; the one that was quiet for longest is forgotten first. */
const MAX_ADDRESSES = 20_000;
const MINUTE_MS = 60_000;

/**
 * A limit on requests by address, in this process's memory: it keeps noise off, what must hold is counted in the store.
 * @returns a function that counts one request. It throws BrokerProblem `too_many_requests` with the seconds to wait
 */
export function createAddressLimit(perMinute: number, clock: Clock) {
  const fullAt = new Map<string, number>();
  const intervalMs = MINUTE_MS / perMinute;
  return (address: string): void => {
    const now = clock();
    const network = networkOf(address);
    const next = Math.max(fullAt.get(network) ?? 0, now) + intervalMs;
    const overMs = next - now - MINUTE_MS;
    if (overMs > 0) {
      throw new BrokerProblem('too_many_requests', { retryAfterSeconds: Math.ceil(overMs / 1000) });
    }
    fullAt.delete(network);
    fullAt.set(network, next);
    const oldest = fullAt.size > MAX_ADDRESSES ? fullAt.keys().next().value : undefined;
    if (oldest !== undefined) fullAt.delete(oldest);
  };
}

/**
 * The address that the outermost trusted proxy saw; each appends one to X-Forwarded-For, and what stands before may be made up.
 * @param proxies how many there are in front; 0: the header is not believed
 * @param own the connection's
 */
export function addressBehind(
  proxies: number,
  forwardedFor: string | undefined,
  own: string | undefined,
): string {
  const seen = (forwardedFor ?? '').split(',').map((address) => address.trim());
  const forwarded = proxies === 0 ? undefined : seen[seen.length - proxies];
  return [forwarded, own].find((address) => address) ?? 'unknown';
}

/** An IPv6 host has a whole /64 to itself; an IPv4 address counts as it is. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
