import { quotedName } from '../../../names.ts';
import { counted } from './counting.ts';

/** A file that is looked at. */
export const PREVIEW = {
  locked: 'Locked. Enter a code to see this file again.',
  opening: 'Opening…',
  cannot: 'This kind of file can’t be shown here. Download it to open it.',
  download: 'Download',
} as const;

/** A file gets another name. */
export const RENAME = {
  newName: 'New name',
  rename: 'Rename',
  cancel: 'Cancel',
  refused: 'This name can’t be used. Choose another one.',
} as const;

export function renameTitle(name: string): string {
  return `Rename ${quotedName(name)}`;
}

/** A file is deleted for good. */
export const DELETE = {
  text: 'The server throws away its half of the key, and the file. Nobody can bring it back, on any of your devices.',
  earlier: 'Deleted earlier, and still on the server',
  earlierText: 'Tick what should be thrown away too. Leave out what you didn’t delete yourself.',
  deleting: 'Deleting…',
  nowCode: 'Now enter a code.',
  cancel: 'Cancel',
  deleteForGood: 'Delete for good',
} as const;

export function deleteTitle(name: string): string {
  return `Delete ${quotedName(name)} for good?`;
}

/** A file that was deleted earlier. @param device which did it; undefined when nobody knows */
export function deletedWords(name: string, device: string | undefined): string {
  return device ? `${quotedName(name)}, on ${quotedName(device)}` : quotedName(name);
}

/** How long there is to think again. */
export function thinkWords(leftSeconds: number): string {
  return `It will be deleted in ${counted(leftSeconds, 'second')}.`;
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
  ['/', 'Filter by name'],
  ['↑ ↓ Home End', 'Move in the list'],
  ['Enter', 'Open the file'],
  ['F2', 'Rename the file'],
  ['→', 'Go to the file’s menu'],
  ['Delete', 'Delete the file for good'],
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
  tooLong: 'This name is too long. Make it shorter.',
  hidden: (characters: readonly string[]) =>
    `This name contains invisible characters: ${characters.join(', ')}.`,
} as const;
