import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { DEAD, FOLDER, NOT_TRASHED, ROOT_INDEX } from '../journal/state/tables.ts';

// What is in a folder and in the folders in it: nothing that is purged, nor what was put into the trash by itself.

/** Files, by index. */
export function filesBelow(state: FoldedVault, folder: number): number[] {
  return entriesBelow(state, folder).filter((entry) => state.entries.newest[entry] !== FOLDER);
}

/** Ids of folders, each after the one that it is in. */
export function foldersBelow(state: FoldedVault, folder: number): string[] {
  const { ids, parents, newest } = state.entries;
  const below = entriesBelow(state, folder).filter((entry) => newest[entry] === FOLDER);
  const ordered: number[] = [];
  let level = new Set([folder]);
  while (level.size > 0) {
    const next = below.filter((entry) => level.has(parents[entry] ?? DEAD));
    ordered.push(...next);
    level = new Set(next);
  }
  return ordered.map((entry) => ids[entry] ?? '');
}

function entriesBelow(state: FoldedVault, folder: number): number[] {
  const isBelow = belowTest(state, folder);
  return [...state.entries.parents.keys()].filter(isBelow);
}

/** Tells, of one entry after another, whether it is below this folder. */
export function belowTest(state: FoldedVault, folder: number): (entry: number) => boolean {
  const { parents, trashedAtMs } = state.entries;
  const known = new Map<number, boolean>([
    [folder, true],
    [ROOT_INDEX, folder === ROOT_INDEX],
  ]);
  const holds = (above: number): boolean => {
    const answer = known.get(above);
    if (answer !== undefined) return answer;
    const isThere = above >= 0 && trashedAtMs[above] === NOT_TRASHED;
    const found = isThere && holds(parents[above] ?? DEAD);
    known.set(above, found);
    return found;
  };
  return (entry) =>
    entry !== folder &&
    trashedAtMs[entry] === NOT_TRASHED &&
    !state.hidden.has(entry) &&
    holds(parents[entry] ?? DEAD);
}
