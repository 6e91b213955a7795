/** One request between browser, broker and cloud. */
export interface Trip {
  readonly kind: 's3-read' | 's3-list' | 's3-write' | 's3-delete' | 'kms' | 'cognito';
  /** Method and object or operation, as a reader of the list wants to see it. */
  readonly name: string;
  /** Both by `performance.now()`, ms. */
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The longest chain: of all sets of requests of which no two overlap in time, the largest. What ends first leaves the
 * most room for others, so taking whichever ends next is best.
 */
export function longestChain(trips: readonly Trip[]): Trip[] {
  const chain: Trip[] = [];
  for (const trip of trips.toSorted((a, b) => a.endMs - b.endMs)) {
    const last = chain.at(-1);
    if (!last || trip.startMs >= last.endMs) chain.push(trip);
  }
  return chain;
}

/** US dollars for a million, list prices of us-east-1 (2026): S3 Standard, KMS; Cognito identity pools cost nothing. */
const DOLLARS_PER_MILLION = {
  's3-read': 0.4,
  's3-list': 5,
  's3-write': 5,
  's3-delete': 0,
  kms: 3,
  cognito: 0,
} as const satisfies Record<Trip['kind'], number>;

/** US dollars for these requests, transfer and storage aside. */
export function dollarsOf(trips: readonly Trip[]): number {
  return trips.reduce((sum, { kind }) => sum + DOLLARS_PER_MILLION[kind] / 1e6, 0);
}
