import type { VaultId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { VaultObjects } from '../../ports/vaults.ts';
import { BrokerProblem } from '../problem.ts';
import type { VaultRecord, VaultRecords } from './vault-record.ts';

/**
 * How much a vault holds. `usedBytes` is an estimate: multipart uploads are added as they are completed, single PUTs as their
 * envelopes are written, purges taken off, and a broker that ends in between, or an upload that nobody adopts, makes it
 * drift. So a refusal never rests on it: before `store_full`, and once a day, the objects are counted by listing them.
 * Asked for when an upload begins and again when it is completed; single PUTs under way at the same time are not foreseen.
 */
export interface Usage {
  /** @throws BrokerProblem `store_full` when so many more bytes would exceed the quota */
  requireRoom(vault: VaultId, record: VaultRecord, sizeBytes: number): Promise<void>;
  /** Negative after a purge. */
  add(vault: VaultId, sizeBytes: number): Promise<void>;
}

/** A full vault that is asked again and again is not listed each time. */
const RECOUNT_PAUSE_MS = 60_000;
const RECOUNT_EVERY_MS = 24 * 60 * 60 * 1000;

export interface UsageDeps {
  readonly objects: Pick<VaultObjects, 'measure'>;
  readonly records: VaultRecords;
  readonly clock: Clock;
  /** undefined: no limit. */
  readonly quotaBytes: number | undefined;
}

export function createUsage({ objects, records, clock, quotaBytes }: UsageDeps): Usage {
  return {
    async requireRoom(vault, record, sizeBytes) {
      if (quotaBytes === undefined) return;
      const fits = record.usedBytes + sizeBytes <= quotaBytes;
      const ageMs = clock() - record.countedAtMs;
      if (fits && ageMs < RECOUNT_EVERY_MS) return;
      if (!fits && ageMs < RECOUNT_PAUSE_MS) throw new BrokerProblem('store_full');
      const usedBytes = await objects.measure(vault, 'blobs/');
      await records.setUsed(vault, usedBytes, clock());
      if (usedBytes + sizeBytes > quotaBytes) throw new BrokerProblem('store_full');
    },
    add: (vault, sizeBytes) => records.addUsed(vault, sizeBytes),
  };
}
