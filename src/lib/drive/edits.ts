import { randomId } from '../crypto/random.ts';
import { HalfkeyError } from '../errors.ts';
import { toName } from '../journal/entries/names.ts';
import { FAVOURITE, ROOT } from '../journal/entries/operations.ts';
import type { Entry, FoldedVault } from '../journal/state/folded-vault.ts';
import { ROOT_INDEX } from '../journal/state/tables.ts';
import type { Edit } from './change.ts';
import { hasVersion, isFolderWithin, isOpenFolder } from './standing.ts';

// What people do, as edits of the vault as it is shown. Each function throws, and nothing is changed, where it cannot
// be done as they mean it; where others are faster meanwhile `rebase` decides.

/** @throws {HalfkeyError} `name_malformed`, `already_exists`, `not_found` when there is no such folder to put it in */
export function addFolder(
  shown: FoldedVault,
  parent: string,
  typed: string,
): { folder: string; edits: Edit[] } {
  const name = toName(typed);
  requireFolder(shown, parent);
  requireFree(shown, parent, name);
  const folder = randomId();
  return { folder, edits: [{ kind: 'folder-add', entry: folder, parent, name }] };
}

/** @throws {HalfkeyError} `name_malformed`, `already_exists`, `not_found` */
export function rename(shown: FoldedVault, entry: string, typed: string): Edit[] {
  const name = toName(typed);
  const { name: was, folder, trashedAtMs } = entryOf(shown, entry);
  if (was === name) return [];
  if (trashedAtMs === undefined) requireFree(shown, folder, name);
  return [{ kind: 'rename', entry, name, was }];
}

/** @throws {HalfkeyError} `not_found` when it is no version of the file, or its content is gone */
export function restoreVersion(shown: FoldedVault, file: string, blob: string): Edit[] {
  const { name } = entryOf(shown, file);
  if (!hasVersion(shown, file, blob)) throw new HalfkeyError('not_found', 'the file has no such version');
  return [{ kind: 'version-restore', entry: file, name, blob }];
}

/** @throws {HalfkeyError} `not_found`; `folder_within` when a folder would go into itself */
export function place(
  shown: FoldedVault,
  places: readonly { readonly entry: string; readonly folder: string }[],
): Edit[] {
  return places.flatMap(({ entry, folder }): Edit[] => {
    const { name, folder: from } = entryOf(shown, entry);
    if (from === folder) return [];
    requireFolder(shown, folder);
    if (isFolderWithin(shown, folder, entry)) {
      throw new HalfkeyError('folder_within', 'a folder cannot go into itself');
    }
    return [{ kind: 'move', entry, name, folder }];
  });
}

/** What is gone, or in the trash already, is left out. */
export function trash(shown: FoldedVault, entries: readonly string[], atMs: number): Edit[] {
  return there(shown, entries)
    .filter(({ trashedAtMs }) => trashedAtMs === undefined)
    .map(({ id, name }) => ({ kind: 'trash', entry: id, name, atMs }));
}

export function restore(shown: FoldedVault, entries: readonly string[]): Edit[] {
  return there(shown, entries)
    .filter(({ trashedAtMs }) => trashedAtMs !== undefined)
    .map(({ id, name }) => ({ kind: 'restore', entry: id, name }));
}

/** @throws {HalfkeyError} `name_malformed` for what cannot be a tag */
export function tag(
  shown: FoldedVault,
  entries: readonly string[],
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
): Edit[] {
  const added = add.map((typed) => toName(typed.trim()));
  return there(shown, entries)
    .filter(
      ({ tags }) => added.some((each) => !tags.includes(each)) || remove.some((each) => tags.includes(each)),
    )
    .map(({ id, name }) => ({ kind: 'tag', entry: id, name, add: added, remove: [...remove] }));
}

export function favour(shown: FoldedVault, entries: readonly string[], isFavourite: boolean): Edit[] {
  const [add, remove] = isFavourite ? [[FAVOURITE], []] : [[], [FAVOURITE]];
  return tag(shown, entries, { add, remove });
}

function there(shown: FoldedVault, entries: readonly string[]): Entry[] {
  return entries.flatMap((id) => shown.entry(id) ?? []);
}

function entryOf(shown: FoldedVault, id: string): Entry {
  const entry = shown.entry(id);
  if (!entry) throw new HalfkeyError('not_found', 'the vault has no such file or folder');
  return entry;
}

/** @throws {HalfkeyError} `not_found` for what is not a folder that is in sight */
export function requireFolder(shown: FoldedVault, folder: string): void {
  if (isOpenFolder(shown, folder)) return;
  throw new HalfkeyError('not_found', 'the vault has no such folder');
}

/** Compared as the journal does, by code units. */
function requireFree(shown: FoldedVault, folder: string, name: string): void {
  const index = folder === ROOT ? ROOT_INDEX : (shown.indexOf(folder) ?? ROOT_INDEX);
  if (shown.index.isTaken(index, name)) {
    throw new HalfkeyError('already_exists', 'the folder has a file or folder of this name');
  }
}
