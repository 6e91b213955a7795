import type { FoldedVault } from './state/folded-vault.ts';
import type { Operation, Version } from './entries/operations.ts';

/** A file that waits to be named by the journal. */
export interface Adoptable {
  readonly file: string;
  readonly folder: string;
  readonly name: string;
  readonly version: Version;
}

/**
 * What is still to be appended so that the vault has these files: nothing for one that was adopted before, by whomever,
 * or adopted and purged since. A file that the vault has with another content gets this one as its newest version; of a
 * file whose every content was purged nothing comes back. An intent for `Journal.append`: it is asked again when
 * another device was faster.
 */
export function operationsToAdopt(state: FoldedVault, adoptables: readonly Adoptable[]): Operation[] {
  const named = new Set<string>();
  const operations: Operation[] = [];
  for (const { file, folder, name, version } of adoptables) {
    if (state.hasBlob(version.blob) || named.has(version.blob) || state.erased.has(file)) continue;
    const entry = state.entry(file);
    // An id that no honest device takes, and a file that is hidden: nothing is added to either.
    if (entry?.isFolder || (entry === undefined && state.index.byId.has(file))) continue;
    const isThere = entry !== undefined || named.has(file);
    operations.push(
      isThere ? { kind: 'version-add', file, version } : { kind: 'file-add', file, folder, name, version },
    );
    named.add(file).add(version.blob);
  }
  return operations;
}
