import * as v from 'valibot';
import { Head } from '../../contract/accounts.ts';
import { AccountId, Count, type VaultId } from '../../contract/ids.ts';
import { NamedSnapshot } from '../../contract/vault-log.ts';
import { AppendCount, type Appended, counted } from './append-pace.ts';
import { BrokerProblem } from '../problem.ts';
import type { Records } from '../state/records.ts';
import { stateKeys } from '../state/state-keys.ts';

/** `m/<vault>`: who may use the vault, how far its journal goes, and which snapshots of it there are. */
export const VaultRecord = v.strictObject({
  members: v.array(v.strictObject({ account: AccountId, role: v.literal('owner') })),
  /** May lag behind the objects, which are the truth, when a broker ended between two writes. */
  head: Head,
  /** Of the vault key that seals what is appended. The journal decides; this refuses what it would not take. */
  epoch: Count,
  /** What devices have appended of late. */
  appends: v.array(AppendCount),
  /** The newest two that an append has named, the newest first: their pages stay. */
  snapshots: v.array(NamedSnapshot),
  /** The newest that an identity-signed segment has named: audits go back to it. */
  base: v.optional(NamedSnapshot),
});
export type VaultRecord = v.InferOutput<typeof VaultRecord>;

/** Which `m/<vault>` records there are, and the ways in which they change. */
export interface VaultRecords {
  /** `undefined` where there is no such vault. */
  read(vault: VaultId): Promise<VaultRecord | undefined>;
  /** As it was read or written within the last two seconds; asks nobody. */
  justSeen(vault: VaultId): VaultRecord | undefined;
  create(vault: VaultId, record: VaultRecord): Promise<'created' | 'exists'>;
  /**
   * Moves the head on, never back, and counts what that took.
   * @param named the snapshot that the segment at this place names, and whether the identity key signed it
   * @returns the record now stored, whose head another writer may have moved further
   */
  advance(
    vault: VaultId,
    head: Head,
    appended: readonly Appended[],
    nowMs: number,
    named?: { snapshot: NamedSnapshot; isBase: boolean },
  ): Promise<VaultRecord>;
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
    justSeen: (vault) => records.justSeen(stateKeys.vault(vault), VaultRecord),
    create: (vault, record) => records.create(stateKeys.vault(vault), record),
    advance: (vault, head, appended, nowMs, named) =>
      change(vault, (record) => {
        const isNewer = record.head.seq < head.seq;
        if (!isNewer && !named) return undefined;
        const moved = isNewer && { head, appends: counted(record.appends, appended, nowMs) };
        return { ...(named ? withSnapshot(record, named) : record), ...moved };
      }),
  };
}

/** So many named snapshots keep their pages: anyone who is just reading the one before the newest can. */
const KEPT_SNAPSHOTS = 2;

function withSnapshot(
  record: VaultRecord,
  { snapshot, isBase }: { snapshot: NamedSnapshot; isBase: boolean },
): VaultRecord {
  const others = record.snapshots.filter(({ seq }) => seq !== snapshot.seq);
  const snapshots = [...others, snapshot].sort((a, b) => b.seq - a.seq).slice(0, KEPT_SNAPSHOTS);
  return { ...record, snapshots, ...(isBase && { base: snapshot }) };
}
