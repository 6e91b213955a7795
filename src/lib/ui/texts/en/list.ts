import { quotedName, shownName } from '../../../shown-name.ts';
import type { EntryRow } from '../../../protocol/drive.ts';
import { counted } from './counting.ts';
import { formatAdded } from './times.ts';

/** Files and folders, one below the other. */
export const LIST = {
  selectAll: 'Select all',
  favourite: 'Favourite',
  pending: 'Changed here, and not on the server yet',
  none: '–',
  where: 'Where',
  tags: 'Tags',
} as const;

/** Names the box that selects a row. `name`: as it is shown. */
export function selectWords(name: string): string {
  return `Select ${name}`;
}

/** Names the button that downloads a row at once. `name`: as it is shown. */
export function downloadWords(name: string): string {
  return `Download ${name}`;
}

/** `3 items`. */
export function itemsWords(count: number): string {
  return counted(count, 'item');
}

/** Names the menu of all that is selected. */
export function actionsForItems(count: number): string {
  return `Actions for ${itemsWords(count)}`;
}

/** The folders above a row, where rows are of more than one; with the day when it was put into the trash. */
export function whereWords({ path, trashedAtMs }: EntryRow, nowMs: number): string {
  const where = path === undefined || path.length === 0 ? 'Drive' : path.map(shownName).join(' › ');
  if (trashedAtMs === undefined) return where;
  const since = formatAdded(trashedAtMs, nowMs).replace(/^(Today|Yesterday)/, (day) => day.toLowerCase());
  return `${where}, trashed ${since}`;
}

/** What stands where a place has nothing in it. */
export const EMPTY = {
  folder: 'Nothing in here yet.',
  byMouse: 'Drop files anywhere, or choose some.',
  byTouch: 'Tap + to add files.',
  choose: 'Choose files',
  favourites: 'Nothing here yet. Add a file or folder to your favourites, and it’s one click away.',
  trash: 'The trash is empty.',
  clearSearch: 'Clear search',
} as const;

/** The first uploads of an empty drive. @param isMoving whether something is happening to one of them */
export function firstFilesWords(count: number, isMoving: boolean): string {
  const files = count === 1 ? 'Your first file is' : `Your first ${counted(count, 'file')} are`;
  return isMoving ? `${files} on the way.` : `${files} waiting. Transfers shows why.`;
}

/** A search finds nothing. */
export function noHitWords(search: string): string {
  return `Nothing found for ${quotedName(search)}.`;
}

/** Over the list while something is selected. */
export const SELECTION = {
  label: 'Selection',
  clear: 'Clear selection',
  all: 'All',
  download: 'Download',
  move: 'Move to…',
  favour: 'Favourite',
  trash: 'Move to trash',
  trashShort: 'Trash',
  restore: 'Restore',
  purge: 'Delete for good',
  more: 'Actions',
} as const;

/** `2 selected`. */
export function selectedWords(count: number): string {
  return `${count.toLocaleString('en')} selected`;
}
