import { ROOT } from '../journal/entries/operations.ts';
import { isInTrash, isWithin } from '../journal/state/fold.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { FOLDER, ROOT_INDEX } from '../journal/state/tables.ts';

// What an edit asks of the vault before it is made, and again when it is written.

/** Whether it is a folder that is in sight: something can be put into it. `ROOT` always is. */
export function isOpenFolder(state: FoldedVault, folder: string): boolean {
  if (folder === ROOT) return true;
  const index = state.indexOf(folder);
  return index !== undefined && state.entries.newest[index] === FOLDER && !isInTrash(state, index);
}

/** Whether a folder is the entry itself, or is in what is below it. */
export function isFolderWithin(state: FoldedVault, folder: string, entry: string): boolean {
  const target = folder === ROOT ? ROOT_INDEX : (state.indexOf(folder) ?? ROOT_INDEX);
  return isWithin(state, target, state.indexOf(entry) ?? ROOT_INDEX);
}

/** Whether a file has this version, and its content is not gone. */
export function hasVersion(state: FoldedVault, file: string, blob: string): boolean {
  return !state.gone.has(blob) && state.versionsOf(file).some((version) => version.blob === blob);
}
