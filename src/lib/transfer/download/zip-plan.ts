import * as v from 'valibot';
import { BlobId } from '$contract/ids.ts';
import { HalfkeyError } from '../../errors.ts';
import type { FoldedVault } from '../../journal/state/folded-vault.ts';
import { ROOT } from '../../journal/entries/operations.ts';
import { FOLDER, NOT_TRASHED, ROOT_INDEX, versionAt } from '../../journal/state/tables.ts';
import type { StoredBlob } from './opening.ts';
import { fitsPath, namesWithin } from './zip-names.ts';

/** More entries than this need another form of the zip's directory, which not every program reads. */
const MAX_ENTRIES = 65_535;
/** What a zip's dates can say, in any time zone. */
const EARLIEST_MS = Date.UTC(1980, 0, 2);
const LATEST_MS = Date.UTC(2107, 11, 30);

/** A file in a zip. */
export interface ZippedFile {
  readonly path: string;
  readonly modifiedAtMs: number;
  readonly stored: StoredBlob;
}

/** What a zip will hold. */
export interface ZipPlan {
  /** Of what was chosen, where that is one file or folder; undefined for several. */
  readonly name: string | undefined;
  /** Paths of folders that nothing is in, each with "/" at its end. */
  readonly emptyFolders: readonly string[];
  readonly files: readonly ZippedFile[];
}

/**
 * What a zip of these files and folders holds: folders with all that is in them but the trash, each once, `ROOT` for all
 * of the drive. A folder whose path would be too long stands at the top.
 * @throws {HalfkeyError} `not_found` when one of them is gone; `zip_too_large` for more entries than a zip can have
 */
export function planZip(state: FoldedVault, chosen: readonly string[]): ZipPlan {
  const children = childrenOf(state);
  const top = chosen.includes(ROOT) ? (children.get(ROOT_INDEX) ?? []) : topmost(state, chosen);
  const files: ZippedFile[] = [];
  const emptyFolders: string[] = [];
  const takenAtTop = new Set<string>();
  const waiting: { readonly prefix: string; readonly within: readonly number[] }[] = [
    { prefix: '', within: top },
  ];

  const named = (index: number) => state.entryAt(index);
  for (const { prefix, within } of waiting) {
    const names = namesWithin(within.map(named), prefix === '' ? takenAtTop : new Set());
    for (const [place, index] of within.entries()) {
      const fits = fitsPath(`${prefix}${names[place] ?? ''}/`);
      const [name = ''] = fits ? [names[place]] : namesWithin([named(index)], takenAtTop);
      const path = fits ? `${prefix}${name}` : name;
      const newest = state.entries.newest[index] ?? FOLDER;
      if (newest === FOLDER) {
        const below = children.get(index) ?? [];
        if (below.length === 0) emptyFolders.push(`${path}/`);
        else waiting.push({ prefix: `${path}/`, within: below });
      } else {
        const version = versionAt(state.versions, newest);
        const modifiedAtMs = Math.min(LATEST_MS, Math.max(EARLIEST_MS, version.modifiedAtMs));
        files.push({ path, modifiedAtMs, stored: { ...version, blob: v.parse(BlobId, version.blob) } });
      }
    }
  }
  const count = files.length + emptyFolders.length;
  if (count > MAX_ENTRIES) throw tooLarge(count, MAX_ENTRIES);
  const [only, ...others] = top;
  const isOne = only !== undefined && others.length === 0 && !chosen.includes(ROOT);
  return { name: isOne ? named(only).name : undefined, emptyFolders, files };
}

/** @param most how many one zip, or one code, takes */
export function tooLarge(count: number, most: number): HalfkeyError {
  return new HalfkeyError('zip_too_large', `${String(count)} are more than ${String(most)}`, {
    detail: { count, most },
  });
}

/** By index of the folder: all that is neither purged nor put into the trash itself, in the order of its coming. */
function childrenOf(state: FoldedVault): Map<number, number[]> {
  const { ids, parents, trashedAtMs } = state.entries;
  const children = new Map<number, number[]>();
  for (const [index, parent] of parents.entries()) {
    if (trashedAtMs[index] !== NOT_TRASHED || state.indexOf(ids[index] ?? '') !== index) continue;
    const beside = children.get(parent);
    if (beside) beside.push(index);
    else children.set(parent, [index]);
  }
  return children;
}

/** Those that are not in a folder that was chosen too, each once. */
function topmost(state: FoldedVault, chosen: readonly string[]): number[] {
  const indices = new Set<number>();
  for (const id of chosen) {
    const index = state.indexOf(id);
    if (index === undefined) throw new HalfkeyError('not_found', 'the journal has no such file or folder');
    indices.add(index);
  }
  const { parents } = state.entries;
  return [...indices].filter((index) => {
    let above = parents[index] ?? ROOT_INDEX;
    while (above !== ROOT_INDEX && !indices.has(above)) above = parents[above] ?? ROOT_INDEX;
    return above === ROOT_INDEX;
  });
}
