import * as v from 'valibot';
import { Head } from '../../contract/accounts.ts';
import { AccountId, Count, type VaultId } from '../../contract/ids.ts';
import { AppendCount, type Appended, counted } from './append-pace.ts';
import { BrokerProblem } from '../problem.ts';
import type { Records } from '../state/records.ts';
import { stateKeys } from '../state/state-keys.ts';

/** `m/<vault>`: who may use the vault, how far its journal goes, and how much it holds. */
export const VaultRecord = v.strictObject({
  members: v.array(v.strictObject({ account: AccountId, role: v.literal('owner') })),
  /** May lag behind the objects, which are the truth, when a broker ended between two writes. */
  head: Head,
  /** Of the vault key that seals what is appended. The journal decides; this refuses what it would not take. */
  epoch: Count,
  /** What devices have appended of late. */
  appends: v.array(AppendCount),
  /** Bytes of blobs as far as they were counted; see usage.ts. */
  usedBytes: Count,
  /** When they were last counted by listing; 0 for never. */
  countedAtMs: Count,
});
export type VaultRecord = v.InferOutput<typeof VaultRecord>;

/** Which `m/<vault>` records there are, and the ways in which they change. */
export interface VaultRecords {
  /** `undefined` where there is no such vault. */
  read(vault: VaultId): Promise<VaultRecord | undefined>;
  create(vault: VaultId, record: VaultRecord): Promise<'created' | 'exists'>;
  /**
   * Moves the head on, never back, and counts what that took.
   * @returns the record now stored, whose head another writer may have moved further
   */
  advance(vault: VaultId, head: Head, appended: readonly Appended[], nowMs: number): Promise<VaultRecord>;
  /** Adds to the bytes used, or takes from them; they end at 0. */
  addUsed(vault: VaultId, sizeBytes: number): Promise<void>;
  setUsed(vault: VaultId, usedBytes: number, countedAtMs: number): Promise<void>;
}

export function createVaultRecords(records: Records): VaultRecords {
  async function change(vault: VaultId, next: (record: VaultRecord) => VaultRecord | undefined) {
    const stored = await records.update(stateKeys.vault(vault), VaultRecord, (record) => {
      if (!record) throw new BrokerProblem('not_a_member');
      return next(record);
    });
    if (!stored) throw new BrokerProblem('not_a_member');
    return stored;
  }

  return {
    read: async (vault) => (await records.read(stateKeys.vault(vault), VaultRecord))?.content,
    create: (vault, record) => records.create(stateKeys.vault(vault), record),
    advance: (vault, head, appended, nowMs) =>
      change(vault, (record) =>
        record.head.seq < head.seq
          ? { ...record, head, appends: counted(record.appends, appended, nowMs) }
          : undefined,
      ),
    async addUsed(vault, sizeBytes) {
      if (sizeBytes === 0) return;
      await change(vault, (record) => ({
        ...record,
        usedBytes: Math.max(0, record.usedBytes + sizeBytes),
      }));
    },
    async setUsed(vault, usedBytes, countedAtMs) {
      await change(vault, (record) => ({ ...record, usedBytes, countedAtMs }));
    },
  };
}
