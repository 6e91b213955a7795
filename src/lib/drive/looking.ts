import { acceptableName, searchKey } from '../journal/entries/names.ts';
import { ROOT } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { list } from '../journal/state/listing.ts';
import { FOLDER, ROOT_INDEX } from '../journal/state/tables.ts';
import type { Crumb, SearchFilter, TreeFolder, ViewQuery } from '../protocol/drive.ts';
import { belowTest } from './below.ts';
import { fileKind } from './file-kind.ts';
import { crumbsTo } from './paths.ts';
import { search } from './search.ts';
import { isOpenFolder } from './standing.ts';

/** What somebody sees of a vault, by index and in order. */
export interface Looked {
  readonly indices: readonly number[];
  /** Whether these are of more than one folder. */
  readonly isMixed: boolean;
  readonly crumbs: readonly Crumb[];
  readonly isMissing: boolean;
}

/** Answers a query. */
export function look(state: FoldedVault, query: ViewQuery): Looked {
  const { place, sortBy, descending } = query;
  const order = { sortBy, descending };
  const isSearch = searchKey(query.search.trim()) !== '';
  const isFolder = place.kind === 'folder';
  const isMissing = isFolder && !isOpenFolder(state, place.folder);
  const crumbs = isFolder && !isMissing ? crumbsTo(state, place.folder) : [];
  if (!isSearch) {
    const indices = isMissing ? [] : list(state, { place, ...order }).indices;
    return { indices, isMixed: !isFolder, crumbs, isMissing };
  }
  const searched = place.kind === 'trash' ? place : ({ kind: 'all' } as const);
  const all = list(state, { place: searched, ...order }).indices;
  const among = all.filter(within(state, query.within)).filter(matches(state, query.filter));
  return { indices: search(state, among, query.search), isMixed: true, crumbs, isMissing };
}

function within(state: FoldedVault, folder: string | undefined): (entry: number) => boolean {
  if (folder === undefined || folder === ROOT) return () => true;
  const index = state.indexOf(folder);
  return index === undefined ? () => false : belowTest(state, index);
}

/** Whatever is said of files leaves out folders. */
function matches(state: FoldedVault, filter: SearchFilter | undefined): (entry: number) => boolean {
  const { kind, sinceMs = 0, minBytes = 0 } = filter ?? {};
  if (kind === undefined && sinceMs === 0 && minBytes === 0) return () => true;
  const { entries, versions } = state;
  return (entry) => {
    const newest = entries.newest[entry] ?? FOLDER;
    if (newest === FOLDER) return false;
    if ((versions.addedAtMs[newest] ?? 0) < sinceMs || (versions.sizeBytes[newest] ?? 0) < minBytes)
      return false;
    return (
      kind === undefined || fileKind(versions.mediaTypes[newest] ?? '', entries.names[entry] ?? '') === kind
    );
  };
}

/** The folders in a folder, by name. */
export function foldersIn(state: FoldedVault, folder: string): TreeFolder[] {
  const { entries } = state;
  const order = list(state, { place: { kind: 'all' }, sortBy: 'name', descending: false }).indices;
  const firstFile = order.findIndex((entry) => entries.newest[entry] !== FOLDER);
  const folders = firstFile < 0 ? order : order.slice(0, firstFile);
  const parent = folder === ROOT ? ROOT_INDEX : state.indexOf(folder);
  const withFolders = new Set(folders.map((entry) => entries.parents[entry]));
  return folders
    .filter((entry) => entries.parents[entry] === parent)
    .map((entry) => ({
      folder: entries.ids[entry] ?? '',
      name: entries.names[entry] ?? '',
      hasFolders: withFolders.has(entry),
    }));
}

/** Ids of what was put into the trash itself before this time, ms since 1970. */
export function trashedBefore(state: FoldedVault, beforeMs: number): string[] {
  const { indices } = list(state, { place: { kind: 'trash' }, sortBy: 'added', descending: false });
  const { ids, trashedAtMs } = state.entries;
  return indices.filter((index) => (trashedAtMs[index] ?? 0) < beforeMs).map((index) => ids[index] ?? '');
}

/** Of these names, those that a folder has; as the journal compares them, and in its form. */
export function takenNames(
  state: FoldedVault,
  folder: string,
  names: readonly string[],
): { name: string; entry: string; kind: 'file' | 'folder' }[] {
  const wanted = new Map(names.map((name) => [acceptableName(name), name]));
  const { indices } = list(state, { place: { kind: 'folder', folder }, sortBy: 'name', descending: false });
  return indices.flatMap((index) => {
    const { id, name, isFolder } = state.entryAt(index);
    const asked = wanted.get(name);
    return asked === undefined ? [] : [{ name: asked, entry: id, kind: isFolder ? 'folder' : 'file' }];
  });
}
