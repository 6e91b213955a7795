import * as v from 'valibot';
import { fromUtf8, utf8, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { open, seal } from '../crypto/floe.ts';
import { deriveKey } from '../crypto/hkdf.ts';
import { HalfkeyError } from '../errors.ts';

/** What all edits have: an id, and the name that it is told of by if it is given up. */
const about = { entry: v.string(), name: v.string() };

/** One thing that is to become of one file or folder. Names are in the journal's form. */
const Edit = v.variant('kind', [
  /** `entry`: the id of the folder that is made. */
  v.strictObject({ kind: v.literal('folder-add'), ...about, parent: v.string() }),
  /**
   * `name`: as it shall be. `was`: as it was shown when the change was made; another name in the journal means that
   * somebody was there meanwhile.
   */
  v.strictObject({ kind: v.literal('rename'), ...about, was: v.string() }),
  /** `blob`: of the version that is to be the newest. */
  v.strictObject({ kind: v.literal('version-restore'), ...about, blob: v.string() }),
  v.strictObject({ kind: v.literal('move'), ...about, folder: v.string() }),
  v.strictObject({ kind: v.literal('trash'), ...about, atMs: v.number() }),
  v.strictObject({ kind: v.literal('restore'), ...about }),
  /** What was tagged elsewhere meanwhile keeps those tags. */
  v.strictObject({ kind: v.literal('tag'), ...about, add: v.array(v.string()), remove: v.array(v.string()) }),
]);
export type Edit = v.InferOutput<typeof Edit>;

/**
 * Why an edit was not written: what it is of was deleted for good, or renamed by somebody else first; the folder it was
 * to go to is gone or in the trash, or is in what was to be moved.
 */
const DropReason = v.picklist(['not_found', 'head_changed', 'folder_gone', 'folder_within']);
export type DropReason = v.InferOutput<typeof DropReason>;

const Change = v.strictObject({
  /** What is still to be written, in this order; empty once all was given up. */
  edits: v.array(Edit),
  /** What stands for the attempt to write it, `PendingChanges`; missing before the first. */
  stamp: v.optional(v.number()),
  /** What was given up of it: kept until somebody has seen that it was. */
  dropped: v.optional(v.array(v.strictObject({ edit: Edit, reason: DropReason }))),
});

/** Something changed on this device that the journal does not say yet: all that somebody did at once. */
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
    throw new HalfkeyError('device_state_lost', 'a change that rests on this device does not open', {
      cause,
    });
  }
}
