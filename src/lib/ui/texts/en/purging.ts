import { quotedName } from '../../../shown-name.ts';
import { formatClock, formatDay } from '../../format.ts';
import { counted } from './counting.ts';
import { itemsWords } from './list.ts';

/** What is in the trash is deleted for good. */
export const PURGING = {
  text: 'The server throws away its half of the key, and the content. Nobody can bring it back, on any of your devices.',
  which: 'What should be deleted?',
  earlier: 'Deleted earlier, and still on the server',
  earlierText: 'Tick what should be thrown away too. Leave out what you didn’t delete yourself.',
  deleting: 'Deleting…',
  needsCode: 'Enter a code first.',
  nothing: 'Nothing in the trash is that old.',
  cancel: 'Cancel',
  purge: 'Delete for good',
} as const;

/** @param name of the only one */
export function purgeTitle(count: number, name: string | undefined): string {
  const what = count === 1 && name !== undefined ? quotedName(name) : itemsWords(count);
  return `Delete ${what} for good?`;
}

/** @param addedAtMs of the version, ms since 1970 */
export function purgeVersionTitle(name: string, addedAtMs: number): string {
  return `Delete the version of ${quotedName(name)} from ${formatDay(addedAtMs)}, ${formatClock(addedAtMs)}, for good?`;
}

export const EMPTY_TRASH_TITLE = 'Empty the trash?';

/** @param count of files and folders in the trash */
export function everythingWords(count: number): string {
  return `Everything (${itemsWords(count)})`;
}

export function olderWords(days: number, count: number): string {
  return `What is there for more than ${counted(days, 'day')} (${itemsWords(count)})`;
}

/** A file that was deleted earlier. @param device which did it; undefined when nobody knows */
export function deletedWords(name: string, device: string | undefined): string {
  return device ? `${quotedName(name)}, on ${quotedName(device)}` : quotedName(name);
}
