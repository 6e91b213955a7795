import { quotedName, shownName } from '../../../shown-name.ts';
import type { ViewQuery } from '../../../protocol/drive.ts';
import { formatSize } from '../../format.ts';
import { counted } from './counting.ts';

/** Where in the drive one can be. */
export const PLACES = {
  side: 'Halfkey',
  floats: 'Progress and messages',
  nav: 'Drive',
  drive: 'Drive',
  favourites: 'Favourites',
  trash: 'Trash',
  storage: 'Storage',
  me: 'Me',
  folders: 'Folders',
  showFolders: 'Show folders',
  hideFolders: 'Hide folders',
} as const;

/** The button *New*, and its menu. */
export const NEW = {
  button: 'New',
  uploadFiles: 'Upload files',
  uploadFolder: 'Upload folder',
  newFolder: 'New folder',
  takePhoto: 'Take a photo',
} as const;

/** The head of a page of the drive. */
export const HEAD = {
  nav: 'Folder',
  between: 'Folders between',
  up: (name: string) => `Up to ${shownName(name)}`,
  sort: 'Sort',
  sortBy: 'Sort by',
  order: 'Order',
} as const;

export const SORT_COLUMNS: Readonly<Record<ViewQuery['sortBy'], string>> = {
  name: 'Name',
  added: 'Added',
  size: 'Size',
  kind: 'Kind',
};

/** What comes first in each order. */
export const SORT_ORDERS: Readonly<
  Record<ViewQuery['sortBy'], { readonly ascending: string; readonly descending: string }>
> = {
  name: { ascending: 'A to Z', descending: 'Z to A' },
  added: { ascending: 'Oldest first', descending: 'Newest first' },
  size: { ascending: 'Smallest first', descending: 'Largest first' },
  kind: { ascending: 'A to Z', descending: 'Z to A' },
};

/** What is listed: `2 folders, 64 files, 31 MB`. Nothing, where nothing is: the place itself says so. */
export function contentWords(folders: number, files: number, sizeBytes: number): string {
  const parts = [
    ...(folders > 0 ? [counted(folders, 'folder')] : []),
    ...(files > 0 ? [counted(files, 'file'), formatSize(sizeBytes)] : []),
  ];
  return parts.join(', ');
}

/** Searching. */
export const SEARCH = {
  label: 'Search your drive',
  description: 'Filter files',
  clear: 'Clear search',
  filters: 'Filters',
  kind: 'Kind',
  time: 'Added',
  size: 'Size',
  onlyIn: (name: string) => `Only in ${shownName(name)}`,
  results: (count: number) => (count === 0 ? 'No results' : counted(count, 'result')),
} as const;

export const SEARCH_KINDS = {
  '': 'Any kind',
  image: 'Pictures',
  video: 'Videos',
  audio: 'Music and sound',
  document: 'Documents',
  archive: 'Archives',
  other: 'Other files',
} as const;

/** By how many days. */
export const SEARCH_TIMES = {
  '': 'Any time',
  '1': 'Last 24 hours',
  '7': 'Last 7 days',
  '30': 'Last 30 days',
  '365': 'Last 12 months',
} as const;

/** By how many bytes. */
export const SEARCH_SIZES = {
  '': 'Any size',
  '1000000': 'Over 1 MB',
  '10000000': 'Over 10 MB',
  '100000000': 'Over 100 MB',
  '1000000000': 'Over 1 GB',
} as const;

/** In the trash. */
export const TRASH = { empty: 'Empty trash' } as const;

/** What was done, in sight for a while. */
export const TOAST = { undo: 'Undo' } as const;

/** A folder that is looked for and not found. */
export const MISSING = {
  folder: 'This folder isn’t here any more',
  file: 'This file isn’t here any more',
  text: 'It was deleted or is in the trash, or the link belongs to another account.',
  toDrive: 'Go to your drive',
  toTrash: 'Look in the trash',
} as const;

/** How much is in the drive, in the sidebar. */
export const storedWords = (sizeBytes: number): string => `${formatSize(sizeBytes)} stored`;

/** Folders that are not listed. */
export const moreFolders = (count: number, folder: string): string =>
  `${counted(count, 'more folder')} in ${quotedName(folder)}`;
