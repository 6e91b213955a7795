import { quotedName } from '../../../shown-name.ts';
import { itemsWords } from './list.ts';

/** Words by which files and folders are found. */
export const TAGGING = {
  add: 'Add a tag',
  hint: 'Type a word, then press Enter.',
  tags: 'Tags',
  none: 'No tags yet.',
  suggestions: 'Used before',
  empty: 'Type a tag.',
  tooLong: 'This tag is too long. Make it shorter.',
  hidden: 'This tag contains invisible characters.',
  refused: 'This tag can’t be used. Choose another one.',
  addThis: 'Add',
  cancel: 'Cancel',
  save: 'Save',
} as const;

/** @param name of the only one */
export function tagsTitle(count: number, name: string | undefined): string {
  return `Tags of ${count === 1 && name !== undefined ? quotedName(name) : itemsWords(count)}`;
}

/** @param tag as it is shown */
export function removeTagWords(tag: string): string {
  return `Remove ${tag}`;
}

/** @param tag as it is shown */
export function addTagWords(tag: string): string {
  return `Add ${tag}`;
}
