import { quotedName } from '../../../names.ts';
import { counted } from './counting.ts';

/** The page of the drive itself. */
export const DRIVE = {
  more: 'More',
  filter: 'Filter files',
  filterHint: 'Filter by name',
  uploadFiles: 'Upload files',
  upload: 'Upload',
  takePhoto: 'Take a photo',
  dropHere: 'Drop to encrypt and upload',
  files: 'Files',
  name: 'Name',
  size: 'Size',
  added: 'Added',
  actions: 'Actions',
  deletedForGood: 'Deleted for good',
  willBeRenamed: 'New name not on the server yet',
  kept: 'Kept on this device',
  keeping: 'Downloading to this device',
} as const;

/** Names the menu of one file. `name`: as it is shown. */
export function actionsFor(name: string): string {
  return `Actions for ${name}`;
}

/** How many files are listed, of so many. */
export function countWords(listed: number, all: number, isFiltered: boolean): string {
  return isFiltered ? `${listed.toLocaleString('en')} of ${counted(all, 'file')}` : counted(all, 'file');
}

/** No file is left by a filter. */
export function noHitWords(filter: string): string {
  return `No file has ${quotedName(filter)} in its name.`;
}

/** A drive without files. */
export const EMPTY = {
  nothing: 'Nothing in here yet.',
  byMouse: 'Drop files anywhere, or choose some.',
  byTouch: 'Tap the button to add files.',
  choose: 'Choose files',
} as const;

/** The first uploads of an empty drive. @param isMoving whether something is happening to one of them */
export function firstFilesWords(count: number, isMoving: boolean): string {
  const files = count === 1 ? 'Your first file is' : `Your first ${counted(count, 'file')} are`;
  return isMoving ? `${files} on the way.` : `${files} waiting. Transfers shows why.`;
}

/** What can be done with a file. */
export const FILE_MENU = {
  open: 'Open',
  download: 'Download',
  saveAs: 'Save as…',
  downloadEncrypted: 'Download encrypted',
  rename: 'Rename…',
  keep: 'Keep on this device',
  keepNoMore: 'Don’t keep on this device',
  deleteForGood: 'Delete for good',
} as const;

/** What can be done with the app. */
export const APP_MENU = {
  settings: 'Settings',
  who: 'Who can read this now?',
  install: 'Install Halfkey',
  shortcuts: 'Keyboard shortcuts',
  signOut: 'Sign out',
} as const;
