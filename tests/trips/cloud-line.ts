import { setTimeout as delay } from 'node:timers/promises';
import type { Trip } from './chain.ts';
import { type PassingRequest, startRelay } from '../support/relay.ts';

/** What a request takes within an AWS region, ms. */
const DELAYS_MS = {
  's3-read': 15,
  's3-list': 15,
  's3-write': 25,
  's3-delete': 25,
  kms: 6,
  cognito: 30,
} as const satisfies Record<Trip['kind'], number>;

/** Stands before the local cloud: counts what passes, and makes it wait as if it went to AWS. */
export interface CloudLine {
  readonly endpoint: string;
  readonly port: number;
  /** Begins a new list of what passes. */
  reset(): void;
  /** What has begun since the last reset; of what is still under way `endMs` is infinite. */
  trips(): readonly Trip[];
  close(): Promise<void>;
}

/** @param scale how many times as long as in a region requests take; 0: no longer than they do here */
export async function startCloudLine(cloudEndpoint: string, scale: number): Promise<CloudLine> {
  let passed: { -readonly [Key in keyof Trip]: Trip[Key] }[] = [];
  const relay = await startRelay(cloudEndpoint, async (request) => {
    if (request.method === 'OPTIONS') {
      await delay(DELAYS_MS['s3-read'] * scale);
      return undefined;
    }
    const kind = kindOf(request);
    const trip = { kind, name: nameOf(request), startMs: performance.now(), endMs: Infinity };
    passed.push(trip);
    await delay(DELAYS_MS[kind] * scale);
    return {
      kind: 'watch',
      ended: () => {
        trip.endMs = performance.now();
      },
    };
  });
  return {
    ...relay,
    port: Number(new URL(relay.endpoint).port),
    reset: () => {
      passed = [];
    },
    trips: () => passed,
  };
}

function kindOf({ method, query, target }: PassingRequest): Trip['kind'] {
  if (target.startsWith('TrentService')) return 'kms';
  if (target.startsWith('AWSCognitoIdentityService')) return 'cognito';
  if (method === 'GET' && /[?&](list-type|versions|uploads|prefix)\b/.test(query)) return 's3-list';
  if (method === 'GET' || method === 'HEAD') return 's3-read';
  return method === 'DELETE' || query.includes('delete') ? 's3-delete' : 's3-write';
}

function nameOf({ method, path, query, target }: PassingRequest): string {
  if (target !== '') return target.replace(/^.*\./, '');
  const prefix = new URLSearchParams(query).get('prefix');
  return prefix === null ? `${method} ${path}` : `LIST ${prefix}`;
}
