import * as v from 'valibot';
import { fromUtf8, utf8, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { open, seal } from '../crypto/floe.ts';
import { deriveKey } from '../crypto/hkdf.ts';
import { HalfkeyError } from '../errors.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { Operation } from '../journal/entries/operations.ts';

/** Why a change was not written: its entry was deleted for good, or somebody else renamed it first. */
const DropReason = v.picklist(['not_found', 'head_changed']);
type DropReason = v.InferOutput<typeof DropReason>;

const Change = v.strictObject({
  kind: v.literal('rename'),
  /** A file's or folder's id. */
  entry: v.string(),
  /** As it shall be, in the journal's form. */
  name: v.string(),
  /** As it was shown when the change was made. Another name in the journal: somebody was there meanwhile. */
  was: v.string(),
  /** What stands for the attempt to write it, `PendingChanges`; missing before the first. */
  stamp: v.optional(v.number()),
  /** Why it was given up: kept until somebody has seen that it was. */
  dropped: v.optional(DropReason),
});

/** Something changed on this device that the journal does not say yet. */
export type Change = v.InferOutput<typeof Change>;

/** What seals a vault's changes that wait on this device. */
export interface ChangeKey {
  readonly key: Bytes;
  readonly aad: Bytes;
}

export async function changeKey(vault: string, epoch: number, vaultKey: Bytes): Promise<ChangeKey> {
  const key = await deriveKey(vaultKey, 'change', vault);
  return { key, aad: sealAad('change', vault, 'change', epoch) };
}

export function sealChange({ key, aad }: ChangeKey, change: Change): Promise<Bytes> {
  return seal(key, aad, utf8(JSON.stringify(change)));
}

/** @throws {HalfkeyError} `device_state_lost` when it is damaged, or of another key */
export async function openChange({ key, aad }: ChangeKey, sealed: Bytes): Promise<Change> {
  try {
    return v.parse(Change, JSON.parse(fromUtf8(await open(key, aad, sealed))));
  } catch (cause) {
    throw new HalfkeyError('device_state_lost', 'a change that is stored on this device does not open', {
      cause,
    });
  }
}

/**
 * What changes come to in a state that others may have changed meanwhile. Several of one entry build upon each other,
 * and the latest counts: one person with two tabs has no rival.
 * @param isOwn whether an entry has its name from this device
 * @returns the operations to write, and what is not wanted any more; a change that the state says already is in neither
 */
export function rebase(
  state: FoldedVault,
  changes: readonly Change[],
  isOwn: (entry: string) => boolean,
): { operations: Operation[]; dropped: { change: Change; reason: DropReason }[] } {
  const operations: Operation[] = [];
  const dropped: { change: Change; reason: DropReason }[] = [];
  const names = new Map<string, string>();
  for (const change of changes) {
    const { entry, name, was } = change;
    const current = names.get(entry) ?? state.entry(entry)?.name;
    if (current === name) continue;
    const isFree = current === was || names.has(entry) || (current !== undefined && isOwn(entry));
    if (isFree) {
      names.set(entry, name);
      operations.push({ kind: 'rename', entry, name });
    } else {
      dropped.push({ change, reason: current === undefined ? 'not_found' : 'head_changed' });
    }
  }
  return { operations, dropped };
}
