import type { FoldedVault } from './folded-vault.ts';
import { searchKey, sortKey } from '../entries/names.ts';
import { ROOT } from '../entries/operations.ts';
import { DEAD, FOLDER, NOT_TRASHED, ROOT_INDEX } from './tables.ts';

/** What of a vault's files is looked at. What is in the trash, itself or by a folder above it, never is. */
export interface ListQuery {
  /** Substring of the name, without regard to case and marks; empty for all. */
  readonly filter: string;
  readonly sortBy: SortBy;
  readonly descending: boolean;
  /** Files directly in this folder; all of the vault when undefined. */
  readonly folder?: string | undefined;
}

/** By name: numbers in it by their value. By size: true length. Equals by name, then by their coming. */
type SortBy = 'name' | 'size' | 'added';

/** One file as a list shows it; of its newest version. */
interface ListedFile {
  readonly file: string;
  /** `ROOT` for the top folder. */
  readonly folder: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly addedAtMs: number;
  /** Whether its content was erased, although no device that counts has purged it. */
  readonly isGone: boolean;
}

/** Files in their order, as of the state's `revision`; later changes of the state do not show. */
export interface Listing {
  readonly total: number;
  /** All files that are not in the trash. */
  readonly files: number;
  readonly revision: number;
  /** Indices into the state's entries. */
  readonly indices: readonly number[];
  /** @param from 0-based; fewer rows at the end */
  readonly rows: (from: number, count: number) => ListedFile[];
}

/** Files that match, in the order that is asked for. Orders and keys are kept beside the state between calls. */
export function list(state: FoldedVault, query: ListQuery): Listing {
  const sorter = sorterOf(state);
  const order = sorter.order(query.sortBy);
  const needle = searchKey(query.filter.trim());
  const { parents } = state.entries;
  const folder = query.folder === undefined ? undefined : folderIndex(state, query.folder);
  const matches =
    needle === '' && folder === undefined
      ? order.slice()
      : order.filter(
          (entry) =>
            (folder === undefined || parents[entry] === folder) && sorter.searchKeyOf(entry).includes(needle),
        );
  if (query.descending) matches.reverse();
  return {
    total: matches.length,
    files: order.length,
    revision: state.revision,
    indices: matches,
    rows: (from, count) => matches.slice(from, from + count).map((entry) => listedFile(state, entry)),
  };
}

function folderIndex(state: FoldedVault, folder: string): number {
  return folder === ROOT ? ROOT_INDEX : (state.indexOf(folder) ?? DEAD);
}

function listedFile(state: FoldedVault, entry: number): ListedFile {
  const { versions, entries } = state;
  const { id, folder, name } = state.entryAt(entry);
  const version = entries.newest[entry] ?? FOLDER;
  return {
    file: id,
    folder,
    name,
    sizeBytes: versions.sizeBytes[version] ?? 0,
    mediaType: versions.mediaTypes[version] ?? '',
    addedAtMs: versions.addedAtMs[version] ?? 0,
    isGone: state.gone.has(versions.blobs[version] ?? ''),
  };
}

/** The order by name for the local copy: sorting all names is what a start would take longest for. */
export function nameOrder(state: FoldedVault): readonly number[] {
  return sorterOf(state).order('name');
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
  readonly #named: string[] = [];
  readonly #searchKeys: string[] = [];
  readonly #sortKeys: (string | undefined)[] = [];

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

  /** Every file to be seen: first in the order of before, then the new ones. */
  #candidates(before: readonly number[]): number[] {
    const visible = visibleFiles(this.#state);
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
    if (sortBy === 'name') return byName;
    const column = sortBy === 'size' ? versions.sizeBytes : versions.addedAtMs;
    const values = entries.newest.map((version) => column[version] ?? 0);
    return (a, b) => (values[a] ?? 0) - (values[b] ?? 0) || byName(a, b);
  }
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** 1 for each file that is neither purged, hidden or not, nor in the trash, nor below a folder that is. */
function visibleFiles({ entries, hidden }: FoldedVault): Uint8Array {
  const { parents, newest, trashedAtMs } = entries;
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
    visible[entry] = newest[entry] !== FOLDER && isShown[entry] === 1 ? 1 : 0;
  }
  for (const entry of hidden.keys()) visible[entry] = 0;
  return visible;
}
