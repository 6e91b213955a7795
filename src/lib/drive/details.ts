import { HalfkeyError } from '../errors.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { FOLDER } from '../journal/state/tables.ts';
import type { EntryDetails, FileVersion } from '../protocol/drive.ts';
import { filesBelow } from './below.ts';
import { crumbsTo } from './paths.ts';
import { rowAt, type RowContext } from './rows.ts';

/** @throws {HalfkeyError} `not_found` */
export function detailsOf(state: FoldedVault, entry: string, context: RowContext): EntryDetails {
  const index = state.indexOf(entry);
  if (index === undefined) throw new HalfkeyError('not_found', 'the vault has no such file or folder');
  const row = rowAt(state, index, false, context);
  const path = crumbsTo(state, row.folder);
  if (row.kind === 'folder') return { row, path, versions: [], below: below(state, index) };
  return { row, path, versions: versionsOf(state, entry) };
}

function versionsOf(state: FoldedVault, file: string): FileVersion[] {
  return state
    .versionsOf(file)
    .map(({ blob, sizeBytes, sealedBytes, mediaType, addedAtMs, modifiedAtMs, digest }) => ({
      ...{ blob, sizeBytes, sealedBytes, mediaType, addedAtMs, modifiedAtMs, digest },
      isGone: state.gone.has(blob),
    }));
}

/** All files in a folder and the folders in it, but what is in the trash itself, or in a folder that is. */
function below(state: FoldedVault, folder: number): { files: number; sizeBytes: number } {
  let [files, sizeBytes] = [0, 0];
  for (const file of filesBelow(state, folder)) {
    files += 1;
    sizeBytes += state.versions.sizeBytes[state.entries.newest[file] ?? FOLDER] ?? 0;
  }
  return { files, sizeBytes };
}
