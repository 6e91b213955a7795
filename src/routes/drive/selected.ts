import type { EntryRow } from '$lib/protocol/drive.ts';
import type { Files } from '$lib/state/files.svelte.ts';
import type { Chosen } from './menus.ts';

/** The rows of these entries, as far as they are here: what is far out of sight is not. */
export function rowsOf(files: Files, entries: readonly string[]): readonly EntryRow[] {
  const wanted = new Set(entries);
  const rows: EntryRow[] = [];
  for (let index = 0; index < files.total && rows.length < wanted.size; index++) {
    const row = files.row(index);
    if (row && wanted.has(row.entry)) rows.push(row);
  }
  return rows;
}

/** With the name of the only one, where it is known. */
export function chosenOf(files: Files, entries: readonly string[]): Chosen {
  const [row] = entries.length === 1 ? rowsOf(files, entries) : [];
  return { entries, ...(row && { name: row.name }) };
}

/** Whether each of them is a favourite, as far as they are here. */
export function areFavourites(files: Files, entries: readonly string[]): boolean {
  const rows = rowsOf(files, entries);
  return rows.length > 0 && rows.every(({ isFavourite }) => isFavourite);
}
