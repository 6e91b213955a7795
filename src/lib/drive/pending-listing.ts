import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { list, type Listing, type ListQuery } from '../journal/state/listing.ts';
import { searchKey, sortKey } from '../journal/entries/names.ts';

/** One file as it is shown. */
interface Row extends Omit<ReturnType<Listing['rows']>[number], 'folder'> {
  /** Of its newest version. */
  readonly blob: string;
  /** Whether its name is not in the journal yet. */
  readonly isPending: boolean;
}

/** A listing that shows names which are not in the journal yet, each at its new place. */
export interface PendingListing extends Pick<Listing, 'total' | 'files'> {
  /** @param from 0-based; fewer rows at the end */
  readonly rows: (from: number, count: number) => Row[];
  /** 0-based; undefined when the file is not in it. */
  readonly indexOf: (file: string) => number | undefined;
}

/** A file by its index in the state, and its row. */
interface Placed {
  readonly index: number;
  readonly row: Row;
}

/**
 * Lists a state as if some of its files had other names; the state itself stays as it is.
 * @param names by file; few beside what is listed
 */
export function listPending(
  state: FoldedVault,
  query: ListQuery,
  names: ReadonlyMap<string, string>,
): PendingListing {
  const { indices, files } = list(state, query);
  const renamed = names.size === 0 ? [] : renamedFiles(state, query, names);
  const renamedIndices = new Set(renamed.map(({ index }) => index));
  const shown: (number | Placed)[] = indices.filter((index) => !renamedIndices.has(index));
  const compare = comparison(query);
  const placed = (each: number | Placed) =>
    typeof each === 'number' ? { index: each, row: rowAt(state, each) } : each;
  const needle = searchKey(query.filter.trim());
  for (const one of renamed) {
    if (!searchKey(one.row.name).includes(needle)) continue;
    // Few files find their places among many by halving: the many are not sorted again.
    const place = firstPlace(shown.length, (at) => {
      const other = shown[at];
      return other !== undefined && compare(one, placed(other)) < 0;
    });
    shown.splice(place, 0, one);
  }
  const rows = (from: number, count: number) =>
    shown.slice(from, from + count).map((each) => placed(each).row);
  const indexOf = (file: string) => {
    const index = shown.findIndex(
      (each) => file === (typeof each === 'number' ? state.entries.ids[each] : each.row.file),
    );
    return index < 0 ? undefined : index;
  };
  return { total: shown.length, files, rows, indexOf };
}

/** The listed files among those that are renamed, whatever the filter. */
function renamedFiles(state: FoldedVault, query: ListQuery, names: ReadonlyMap<string, string>): Placed[] {
  return list(state, { ...query, filter: '' }).indices.flatMap((index) => {
    const name = names.get(state.entries.ids[index] ?? '');
    return name === undefined ? [] : [{ index, row: { ...rowAt(state, index), name, isPending: true } }];
  });
}

function rowAt(state: FoldedVault, index: number): Row {
  const { versions, entries } = state;
  const version = entries.newest[index] ?? -1;
  return {
    file: entries.ids[index] ?? '',
    name: entries.names[index] ?? '',
    blob: versions.blobs[version] ?? '',
    sizeBytes: versions.sizeBytes[version] ?? 0,
    mediaType: versions.mediaTypes[version] ?? '',
    addedAtMs: versions.addedAtMs[version] ?? 0,
    isGone: state.gone.has(versions.blobs[version] ?? ''),
    isPending: false,
  };
}

/** The journal's own order, `list`. */
function comparison({ sortBy, descending }: ListQuery): (a: Placed, b: Placed) => number {
  const keyOf = ({ row }: Placed) => sortKey(searchKey(row.name));
  const byName = (a: Placed, b: Placed): number =>
    byText(keyOf(a), keyOf(b)) || byText(a.row.name, b.row.name) || a.index - b.index;
  const value = ({ row }: Placed) => (sortBy === 'size' ? row.sizeBytes : row.addedAtMs);
  const compare = sortBy === 'name' ? byName : (a: Placed, b: Placed) => value(a) - value(b) || byName(a, b);
  return descending ? (a, b) => -compare(a, b) : compare;
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The first of `count` places that lies after; all after it do as well. */
function firstPlace(count: number, liesBehind: (place: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (liesBehind(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
