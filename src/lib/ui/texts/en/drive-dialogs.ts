import { quotedName } from '../../../shown-name.ts';
import { counted } from './counting.ts';

/** A file that is looked at. */
export const PREVIEW = {
  locked: 'Locked. Enter a code to see this file again.',
  opening: 'Opening…',
  cannot: 'This kind of file can’t be shown here. Download it to open it.',
  download: 'Download',
} as const;

/** A file or folder gets its name. */
export const NAMING = {
  newName: 'New name',
  name: 'Name',
  newFolder: 'New folder',
  rename: 'Rename',
  make: 'Create folder',
  cancel: 'Cancel',
} as const;

export function renameTitle(name: string): string {
  return `Rename ${quotedName(name)}`;
}

/** Files that another app has shared. */
export const ARRIVED = {
  text: 'These files came from outside Halfkey. Only add what you recognise.',
  cancel: 'Cancel',
  add: 'Add to drive',
} as const;

export function arrivedTitle(count: number): string {
  return `Add ${counted(count, 'file')} to your drive?`;
}

/** Files that are not named. */
export function otherFiles(count: number): string {
  return `… and ${counted(count, 'other')}`;
}

/** Keys, with spaces between them, and what they do. */
export const KEYS = [
  ['U', 'Upload files'],
  ['N', 'New folder'],
  ['/', 'Search your drive'],
  ['↑ ↓ Home End', 'Move in the list'],
  ['Shift ↑ ↓', 'Select more'],
  ['Ctrl A', 'Select all'],
  ['Enter', 'Open'],
  ['Space', 'Preview'],
  ['F2', 'Rename'],
  ['I, Alt Enter', 'Show details'],
  ['→', 'Go to the menu of a row'],
  ['Delete', 'Move to trash'],
  ['Ctrl Z', 'Undo, while it is offered'],
  ['L', 'Lock now'],
  ['?', 'Show these shortcuts'],
] as const;

export const HELP = {
  title: 'Keyboard shortcuts',
  letters: 'Single letters do nothing while you type words, and can be switched off in Settings.',
  mouse: 'You can also drop files on the window, or paste them.',
} as const;

/** Why a name cannot be a file's. */
export const NAME_FAULTS = {
  empty: 'Type a name.',
  reserved: 'This name is reserved for folders. Choose another one.',
  slash: 'A name can’t contain “/”.',
  refused: 'This name can’t be used. Choose another one.',
  taken: 'There is something with this name in here already. Choose another one.',
  tooLong: 'This name is too long. Make it shorter.',
  hidden: (characters: readonly string[]) =>
    `This name contains invisible characters: ${characters.join(', ')}.`,
} as const;
