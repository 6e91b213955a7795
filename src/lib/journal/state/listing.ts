import type { FoldedVault } from './folded-vault.ts';
import { searchKey, sortKey } from '../entries/names.ts';
import { FAVOURITE, ROOT } from '../entries/operations.ts';
import { DEAD, FOLDER, NOT_TRASHED, ROOT_INDEX } from './tables.ts';

/** Which of a vault's files and folders are looked at. */
type ListPlace =
  /** All that are not in the trash, themselves or by a folder above them. */
  | { readonly kind: 'all' }
  /** Of these, what is in this very folder. */
  | { readonly kind: 'folder'; readonly folder: string }
  /** Of these, what is tagged as a favourite. */
  | { readonly kind: 'favourites' }
  /** What was put into the trash itself; not what is in a folder there. */
  | { readonly kind: 'trash' };

export interface ListQuery {
  readonly place: ListPlace;
  readonly sortBy: SortBy;
  readonly descending: boolean;
}

/**
 * By name: numbers in it by their value. By size: true length. By when the newest version was added; in the trash, by
 * when it was put there. By kind: the media type. Equals by name, then by their coming. Folders, which have none of
 * these, by name.
 */
type SortBy = 'name' | 'size' | 'added' | 'kind';

/** One file or folder as a list shows it; a file as its newest version is. */
export interface ListedEntry {
  readonly entry: string;
  readonly isFolder: boolean;
  /** `ROOT` for the top folder. */
  readonly folder: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly addedAtMs: number;
  /** Whether its content was erased, although nobody who counts has purged it. */
  readonly isGone: boolean;
}

/** Files and folders in their order, as of the state's `revision`; later changes of the state do not show. */
export interface Listing {
  readonly total: number;
  readonly revision: number;
  /** Indices into the state's entries; folders come first, whatever the order. */
  readonly indices: readonly number[];
  /** @param from 0-based; fewer rows at the end */
  readonly rows: (from: number, count: number) => ListedEntry[];
}

/** What of a state is looked at, in the order that is asked for. Orders are kept beside the state between calls. */
export function list(state: FoldedVault, { place, sortBy, descending }: ListQuery): Listing {
  const sorter = sorterOf(state);
  const order = place.kind === 'trash' ? sorter.trash(sortBy) : sorter.order(sortBy);
  const matches = order.filter(placeTest(state, place));
  const { newest } = state.entries;
  const firstFile = matches.findIndex((entry) => newest[entry] !== FOLDER);
  const folders = matches.slice(0, firstFile < 0 ? matches.length : firstFile);
  const files = matches.slice(folders.length);
  const indices = descending ? [...folders.reverse(), ...files.reverse()] : matches;
  return {
    total: indices.length,
    revision: state.revision,
    indices,
    rows: (from, count) => indices.slice(from, from + count).map((entry) => listedEntry(state, entry)),
  };
}

function placeTest(state: FoldedVault, place: ListPlace): (entry: number) => boolean {
  const { parents } = state.entries;
  switch (place.kind) {
    case 'folder': {
      const folder = place.folder === ROOT ? ROOT_INDEX : (state.indexOf(place.folder) ?? DEAD);
      return (entry) => parents[entry] === folder;
    }
    case 'favourites':
      return (entry) => state.tags.get(entry)?.includes(FAVOURITE) ?? false;
    case 'all':
    case 'trash':
      return () => true;
  }
}

/** One row of the entries, as a list shows it. */
export function listedEntry(state: FoldedVault, entry: number): ListedEntry {
  const { versions, entries } = state;
  const { id, folder, name, isFolder } = state.entryAt(entry);
  const version = entries.newest[entry] ?? FOLDER;
  return {
    entry: id,
    isFolder,
    folder,
    name,
    sizeBytes: versions.sizeBytes[version] ?? 0,
    mediaType: versions.mediaTypes[version] ?? '',
    addedAtMs: versions.addedAtMs[version] ?? 0,
    isGone: state.gone.has(versions.blobs[version] ?? ''),
  };
}

/** What a search compares with: a name without regard to case and marks. Kept beside the state between calls. */
export function searchKeyOf(state: FoldedVault, entry: number): string {
  return sorterOf(state).searchKeyOf(entry);
}

/** The order by name for the local copy: sorting all names is what a start would take longest for. */
export function nameOrder(state: FoldedVault): readonly number[] {
  return sorterOf(state).order('name');
}

/** Lets a copy of a state begin from the orders of the one that it was copied from. */
export function inheritOrders(copy: FoldedVault, from: FoldedVault): void {
  sorters.set(copy, sorterOf(from).copyFor(copy));
}

/** Takes over the order that `nameOrder` gave for this very state. */
export function adoptNameOrder(state: FoldedVault, order: number[]): void {
  sorterOf(state).adopt(order);
}

const sorters = new WeakMap<FoldedVault, Sorter>();

function sorterOf(state: FoldedVault): Sorter {
  const known = sorters.get(state);
  if (known) return known;
  const sorter = new Sorter(state);
  sorters.set(state, sorter);
  return sorter;
}

/**
 * Sort keys and orders of one state. An order that is out of date is mended: sorting what is nearly sorted is quick.
 */
class Sorter {
  readonly #state: FoldedVault;
  readonly #orders = new Map<SortBy, { revision: number; order: number[] }>();
  /** The names that the keys were made of. */
  #named: string[] = [];
  #searchKeys: string[] = [];
  #sortKeys: (string | undefined)[] = [];

  constructor(state: FoldedVault) {
    this.#state = state;
  }

  order(sortBy: SortBy): readonly number[] {
    const { revision } = this.#state;
    const known = this.#orders.get(sortBy);
    if (known?.revision === revision) return known.order;
    const order = this.#candidates(known?.order ?? []);
    order.sort(this.#comparison(sortBy));
    this.#orders.set(sortBy, { revision, order });
    return order;
  }

  /** An order by name from elsewhere, as of now. */
  adopt(order: number[]): void {
    this.#orders.set('name', { revision: this.#state.revision, order });
  }

  /** What is in the trash itself: little, and asked for seldom. */
  trash(sortBy: SortBy): readonly number[] {
    const { entries, hidden } = this.#state;
    const order: number[] = [];
    for (const [entry, trashedAtMs] of entries.trashedAtMs.entries()) {
      const isThere = trashedAtMs !== NOT_TRASHED && entries.parents[entry] !== DEAD && !hidden.has(entry);
      if (isThere) order.push(entry);
    }
    if (sortBy !== 'added') return order.sort(this.#comparison(sortBy));
    const value = (entry: number) => entries.trashedAtMs[entry] ?? 0;
    const byName = this.#comparison('name');
    return order.sort((a, b) => this.#foldersFirst(a, b) || value(a) - value(b) || byName(a, b));
  }

  /** A sorter of a copy, which mends these orders instead of making its own. */
  copyFor(state: FoldedVault): Sorter {
    const copy = new Sorter(state);
    copy.#named = this.#named.slice();
    copy.#searchKeys = this.#searchKeys.slice();
    copy.#sortKeys = this.#sortKeys.slice();
    for (const [sortBy, { revision, order }] of this.#orders) copy.#orders.set(sortBy, { revision, order });
    return copy;
  }

  searchKeyOf(entry: number): string {
    const name = this.#state.entries.names[entry] ?? '';
    if (this.#named[entry] !== name) {
      this.#named[entry] = name;
      this.#searchKeys[entry] = searchKey(name);
      this.#sortKeys[entry] = undefined;
    }
    return this.#searchKeys[entry] ?? '';
  }

  #sortKeyOf(entry: number): string {
    const search = this.searchKeyOf(entry);
    return (this.#sortKeys[entry] ??= sortKey(search));
  }

  /** All that is to be seen: first in the order of before, then what is new. */
  #candidates(before: readonly number[]): number[] {
    const visible = visibleEntries(this.#state);
    const order: number[] = [];
    for (const entry of before) {
      if (visible[entry] === 1) order.push(entry);
      visible[entry] = 0;
    }
    for (let entry = 0; entry < visible.length; entry++) if (visible[entry] === 1) order.push(entry);
    return order;
  }

  #comparison(sortBy: SortBy): (a: number, b: number) => number {
    const { entries, versions } = this.#state;
    const { names } = entries;
    const byName = (a: number, b: number): number =>
      byText(this.#sortKeyOf(a), this.#sortKeyOf(b)) || byText(names[a] ?? '', names[b] ?? '') || a - b;
    if (sortBy === 'name') return (a, b) => this.#foldersFirst(a, b) || byName(a, b);
    if (sortBy === 'kind') {
      const typeOf = (entry: number) => versions.mediaTypes[entries.newest[entry] ?? FOLDER] ?? '';
      return (a, b) => this.#foldersFirst(a, b) || byText(typeOf(a), typeOf(b)) || byName(a, b);
    }
    const column = sortBy === 'size' ? versions.sizeBytes : versions.addedAtMs;
    const values = entries.newest.map((version) => column[version] ?? 0);
    return (a, b) => this.#foldersFirst(a, b) || (values[a] ?? 0) - (values[b] ?? 0) || byName(a, b);
  }

  #foldersFirst(a: number, b: number): number {
    const { newest } = this.#state.entries;
    return Number(newest[a] !== FOLDER) - Number(newest[b] !== FOLDER);
  }
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** 1 for each entry that is neither purged, hidden or not, nor in the trash, nor below a folder that is. */
function visibleEntries({ entries, hidden }: FoldedVault): Uint8Array {
  const { parents, trashedAtMs } = entries;
  const isShown = new Int8Array(parents.length).fill(-1); // Not known yet; stays so for what is in the trash itself.
  const visible = new Uint8Array(parents.length);
  const path: number[] = [];
  for (let entry = 0; entry < parents.length; entry++) {
    path.length = 0;
    let above = entry;
    while (above >= 0 && isShown[above] === -1 && trashedAtMs[above] === NOT_TRASHED) {
      path.push(above);
      above = parents[above] ?? DEAD;
    }
    const shown = above === ROOT_INDEX || (above >= 0 && isShown[above] === 1) ? 1 : 0;
    for (const step of path) isShown[step] = shown;
    visible[entry] = isShown[entry] === 1 ? 1 : 0;
  }
  for (const entry of hidden.keys()) visible[entry] = 0;
  return visible;
}
