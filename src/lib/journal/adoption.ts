import type { FoldedVault } from './state/folded-vault.ts';
import { ROOT, type Operation, type Version } from './entries/operations.ts';

/** A file that waits to be named by the journal. */
export interface Adoptable {
  readonly file: string;
  readonly folder: string;
  readonly name: string;
  readonly version: Version;
  /**
   * With what was picked to be a new version of `file`: the id that it gets as a file of its own, where that one is
   * gone.
   */
  readonly instead?: string;
}

/**
 * What is still to be appended so that the vault has these files: nothing for one that was adopted before, by whomever,
 * or adopted and purged since. A file that the vault has with another content gets this one as its newest version; of a
 * file whose every content was purged nothing comes back. What was to go into a folder that is in the trash goes into
 * the top folder: nobody would see it there. An intent for `Journal.append`: it is asked again when another device was
 * faster.
 */
export function operationsToAdopt(state: FoldedVault, adoptables: readonly Adoptable[]): Operation[] {
  const named = new Set<string>();
  const operations: Operation[] = [];
  for (const { file: wanted, folder: wantedFolder, name, version, instead } of adoptables) {
    const file = instead !== undefined && isGone(state, wanted) ? instead : wanted;
    if (state.hasBlob(version.blob) || named.has(version.blob) || state.erased.has(file)) continue;
    const entry = state.entry(file);
    // An id that no honest device takes, and a file that is hidden: nothing is added to either.
    if (entry?.isFolder || (entry === undefined && state.index.byId.has(file))) continue;
    const isThere = entry !== undefined || named.has(file);
    const folder = isInTrash(state, wantedFolder) ? ROOT : wantedFolder;
    operations.push(
      isThere ? { kind: 'version-add', file, version } : { kind: 'file-add', file, folder, name, version },
    );
    named.add(file).add(version.blob);
  }
  return operations;
}

/** Whether nobody would find a new version of it: the file was purged, or is in the trash. */
function isGone(state: FoldedVault, file: string): boolean {
  const entry = state.entry(file);
  if (entry === undefined) return state.erased.has(file) || state.index.byId.has(file);
  return entry.isFolder || isInTrash(state, file);
}

/** Whether it was put into the trash itself, or a folder above it was. */
function isInTrash(state: FoldedVault, id: string): boolean {
  for (let above = state.entry(id); above; above = state.entry(above.folder)) {
    if (above.trashedAtMs !== undefined) return true;
  }
  return false;
}
