import { FAVOURITE } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { listedEntry } from '../journal/state/listing.ts';
import type { EntryRow, FileRow } from '../protocol/drive.ts';
import { pathOf } from './paths.ts';

/** What rows say beyond the vault itself. */
export interface RowContext {
  /** Whether something of an entry is not in the journal yet. */
  readonly isPending: (entry: string) => boolean;
  /** Whether a version's ciphertext stays on this device. */
  readonly keptOf: (blob: string) => FileRow['kept'];
}

/** @param index of the entry in the state. @param hasPath whether the row says where it is */
export function rowAt(
  state: FoldedVault,
  index: number,
  hasPath: boolean,
  { isPending, keptOf }: RowContext,
): EntryRow {
  const { entry, isFolder, folder, name, ...file } = listedEntry(state, index);
  const { tags, trashedAtMs } = state.entryAt(index);
  const row = {
    entry,
    name,
    folder,
    ...(hasPath && { path: pathOf(state, folder) }),
    isFavourite: tags.includes(FAVOURITE),
    tags: tags.filter((tag) => tag !== FAVOURITE).sort((a, b) => a.localeCompare(b)),
    ...(trashedAtMs !== undefined && { trashedAtMs }),
    isPending: isPending(entry),
  };
  if (isFolder) return { kind: 'folder', ...row };
  const blob = state.versions.blobs[state.entries.newest[index] ?? -1] ?? '';
  return { kind: 'file', ...row, ...file, kept: keptOf(blob) };
}
