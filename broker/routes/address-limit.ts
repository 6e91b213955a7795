import { isIP, isIPv6 } from 'node:net';
import { BrokerProblem } from '../domain/problem.ts';
import type { Clock } from '../ports/clock.ts';

/** Addresses remembered at a time; the one that was quiet for longest is forgotten first. */
const MAX_ADDRESSES = 20_000;
const MINUTE_MS = 60_000;
/** Anyone who rents a machine often has a whole /48: all its networks together may send as much as so many of them. */
const NETWORKS_PER_SITE = 10;

/**
 * A limit on requests by address, in this process's memory: it keeps noise off, what must hold is counted in the store.
 * @returns a function that counts one request. It throws BrokerProblem `too_many_requests` with the seconds to wait
 */
export function createAddressLimit(perMinute: number, clock: Clock) {
  const fullAt = new Map<string, number>();
  const intervalMs = MINUTE_MS / perMinute;

  /** @returns when it would be full again, with this request */
  function countOne(key: string, costMs: number, now: number): number {
    const next = Math.max(fullAt.get(key) ?? 0, now) + costMs;
    const overMs = next - now - MINUTE_MS;
    if (overMs > 0) {
      throw new BrokerProblem('too_many_requests', { retryAfterSeconds: Math.ceil(overMs / 1000) });
    }
    return next;
  }

  function keep(key: string, next: number): void {
    fullAt.delete(key);
    fullAt.set(key, next);
    const oldest = fullAt.size > MAX_ADDRESSES ? fullAt.keys().next().value : undefined;
    if (oldest !== undefined) fullAt.delete(oldest);
  }

  return (address: string): void => {
    const now = clock();
    const site = siteOf(address);
    // Both before either is kept: a request that is refused costs nothing.
    const counted: [string, number][] = [[networkOf(address), intervalMs]];
    if (site !== undefined) counted.push([site, intervalMs / NETWORKS_PER_SITE]);
    const next = counted.map(([key, costMs]) => [key, countOne(key, costMs, now)] as const);
    for (const [key, full] of next) keep(key, full);
  };
}

/**
 * The address that the outermost trusted proxy saw; each appends one to X-Forwarded-For, and what stands before may be
 * made up. Without the port that some proxies add: each connection of a client has another.
 * @param proxies how many there are in front; 0: the header is not believed
 * @param own the connection's
 */
export function addressBehind(
  proxies: number,
  forwardedFor: string | undefined,
  own: string | undefined,
): string {
  const seen = (forwardedFor ?? '').split(',');
  const forwarded = proxies === 0 ? undefined : seen[seen.length - proxies];
  return bareAddress(forwarded) ?? bareAddress(own) ?? 'unknown';
}

/**
 * `192.0.2.1:443`, `[2001:db8::1]:443`, `[2001:db8::1]`, `fe80::1%eth0`, and plain addresses; undefined for what is not
 * one.
 */
function bareAddress(text = ''): string | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(text.trim()) ?? [];
  const [address = ''] = (bracketed ?? dotted ?? text.trim()).split('%');
  return isIP(address) === 0 ? undefined : address;
}

/** An IPv6 host has a whole /64 to itself; an IPv4 address, in whatever form, counts as it is. */
export function networkOf(address: string): string {
  const bare = bareAddress(address) ?? address;
  const groups = groupsOf(bare);
  return groups === undefined ? bare : (mappedIpv4(groups) ?? `${groups.slice(0, 4).join(':')}::/64`);
}

/** The /48 that an IPv6 address is in, the most that one customer is usually given; undefined for IPv4. */
export function siteOf(address: string): string | undefined {
  const groups = groupsOf(bareAddress(address) ?? address);
  return groups && mappedIpv4(groups) === undefined ? `${groups.slice(0, 3).join(':')}::/48` : undefined;
}

/** Who shares one turn at something: an IPv4 address, or the /48 of an IPv6 one, of which one customer may have all. */
export function neighbourhoodOf(address: string): string {
  return siteOf(address) ?? networkOf(address);
}

/** The eight groups of an IPv6 address, lower case, without leading zeros; undefined for any other. */
function groupsOf(address: string): string[] | undefined {
  if (!isIPv6(address)) return undefined;
  // A URL's host is in the form of RFC 5952 §4, whatever form it was given in, with an IPv4 tail in hex.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
}

/** `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2), which is how a socket for both names a client of IPv4. */
function mappedIpv4(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return undefined;
  const bytes = groups.slice(6).flatMap((group) => {
    const word = Number.parseInt(group, 16);
    return [word >> 8, word & 0xff];
  });
  return bytes.join('.');
}
