import type { Holdup } from '../protocol/transfer.ts';
import type { Connection } from './connection.ts';

/** The ways to the two servers, each shared by all who go it. */
export interface Connections {
  readonly broker: Connection;
  readonly store: Connection;
}

/** Why nothing goes on for now; undefined while it does. */
export function holdupOf({ broker, store }: Connections): Holdup | undefined {
  const [toBroker, toStore] = [broker.wait, store.wait];
  const wait = toBroker ?? toStore;
  if (!wait) return undefined;
  const why = wait.for === 'line' ? 'metered' : toBroker ? 'server' : 'store';
  return { why, ...(wait.nextTryAtMs !== undefined && { nextTryAtMs: wait.nextTryAtMs }) };
}
