import { quotedName } from '../../../shown-name.ts';
import { itemsWords } from './list.ts';

/** Files and folders go to another folder. */
export const MOVING = {
  tree: 'Folders',
  drive: 'Drive',
  newFolder: 'New folder',
  cancel: 'Cancel',
  isHere: 'It’s here now',
  areHere: 'They’re here now',
  isMoved: 'Can’t go into itself',
  loading: 'Looking…',
  failed: 'The folders could not be read. Close this, and try again.',
} as const;

/** @param name of the only one */
export function moveTitle(count: number, name: string | undefined): string {
  return `Move ${count === 1 && name !== undefined ? quotedName(name) : itemsWords(count)} to…`;
}

/** What the button does. @param to undefined until somebody has chosen */
export function moveWords(count: number, to: string | undefined): string {
  return to === undefined ? 'Choose a folder' : `Move ${itemsWords(count)} to ${quotedName(to)}`;
}

/** Folders of one that are not listed, because there are so many. */
export function moreWords(count: number): string {
  return `… and ${count.toLocaleString('en')} more. Search finds them.`;
}
