import { ROOT } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { Crumb } from '../protocol/drive.ts';

/** The folders from the top to this one, itself the last; none for the top folder. */
export function crumbsTo(state: FoldedVault, folder: string): Crumb[] {
  const crumbs: Crumb[] = [];
  let above = folder;
  while (above !== ROOT) {
    const entry = state.entry(above);
    if (!entry) break;
    crumbs.push({ folder: above, name: entry.name });
    above = entry.folder;
  }
  return crumbs.reverse();
}

/** Their names. */
export function pathOf(state: FoldedVault, folder: string): string[] {
  return crumbsTo(state, folder).map(({ name }) => name);
}
