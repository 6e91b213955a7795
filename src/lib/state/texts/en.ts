import { quotedName } from '../../shown-name.ts';
import type { TransferReport } from '../../protocol/transfer.ts';

/** What is said to people who do not see the screen. */
export const SPOKEN = {
  open: 'Halfkey is open.',
  locked: 'Halfkey is locked.',
  signedOut: 'You are signed out.',
  codeSpent: 'That code has been used up. Enter another one to go on.',
} as const;

const items = (count: number): string => `${count.toLocaleString('en')} item${count === 1 ? '' : 's'}`;
const named = (count: number, name: string | undefined): string =>
  count === 1 && name !== undefined ? quotedName(name) : items(count);

/** @param count of files. @param name of the only one, where it is known */
export const deletedForGood = (count: number, name?: string): string =>
  `${count === 1 && name !== undefined ? quotedName(name) : count === 1 ? '1 file' : `${count.toLocaleString('en')} files`} deleted for good.`;

/** What was done to files and folders. @param name of the only one, where it is known */
export const ARRANGED = {
  moved: (count: number, name: string | undefined, to: string) =>
    `${named(count, name)} moved to ${quotedName(to)}`,
  trashed: (count: number, name?: string) => `${named(count, name)} moved to Trash`,
  restored: (count: number, name?: string) => `${named(count, name)} restored`,
  versionRestored: (name: string) => `An earlier version of ${quotedName(name)} is the newest again`,
  versionPurged: (name: string) => `A version of ${quotedName(name)} was deleted for good.`,
} as const;

/** How a transfer ended; undefined where that was somebody's own doing. */
export function transferEnded({ name, direction, phase, isHandedOver }: TransferReport): string | undefined {
  const did = direction === 'up' ? 'uploaded' : 'downloaded';
  if (phase === 'failed') return `${quotedName(name)} was not ${did}.`;
  if (phase !== 'done') return undefined;
  return `${quotedName(name)} ${isHandedOver ? 'was sent to your browser’s downloads' : `was ${did}`}.`;
}

/** After the first of many alike. */
export const andMore = (count: number): string[] => (count === 0 ? [] : [`And ${String(count)} more.`]);

/** How many files and folders there are, or a search finds. */
export function entriesFound(count: number, search: string): string {
  const isSearch = search.trim() !== '';
  const what = isSearch ? 'result' : 'item';
  const found = `${count === 0 ? 'No' : count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
  return isSearch ? `${found} for ${quotedName(search)}.` : `${found}.`;
}

/** The hidden frame that a download comes by. */
export const DOWNLOAD = 'Download';

/** What was tried, by `state` or a page, where it did not work; the reason follows. */
export const NOT_DONE = {
  filesAdded: 'The files were not added',
  moved: 'Nothing was moved',
  trashed: 'Nothing was moved to Trash',
  restored: 'Nothing was restored',
  versionRestored: 'The version was not restored',
  undone: 'That was not undone',
  favoured: 'The favourites are as they were',
  tagged: 'The tags are as they were',
  trashEmptied: 'The trash was not emptied',
  locked: 'The drive was not locked',
  unlocked: 'The drive was not unlocked',
  signedOut: 'You were not signed out',
  uploadsWait: 'Uploads are waiting for a code',
  settingsRead: 'Some settings couldn’t be loaded',
  settingChanged: 'The setting was not changed',
  whoFound: 'Halfkey couldn’t find out who can read this',
  listLoaded: 'The list was not loaded',
  listSorted: 'The list was not sorted',
  searched: 'The search did not work',
  counted: 'What is stored was not counted',
  installed: 'Halfkey was not installed',
  transferCancelled: 'The transfer was not cancelled',
  transferPaused: 'The transfer was not paused',
  transferResumed: 'The transfer was not resumed',
  transferRetried: 'The transfer was not retried',
  transferDismissed: 'The transfer was not dismissed',
  transfersDismissed: 'The transfers were not dismissed',
  triedAgain: 'Trying again didn’t work',
  messageDismissed: 'The message was not dismissed',
  requestStopped: 'The request was not stopped',
  opened: (name: string) => `${quotedName(name)} was not opened`,
  downloaded: (name: string) => `${quotedName(name)} was not downloaded`,
  downloadedMany: (count: number) => `${count.toLocaleString('en')} items were not downloaded`,
  saved: (name: string) => `${quotedName(name)} was not saved`,
  kept: (name: string) => `${quotedName(name)} is not kept on this device`,
  dropped: (name: string) => `${quotedName(name)} is still kept on this device`,
  uploaded: (name: string) => `${quotedName(name)} was not uploaded`,
} as const;

/** What a code is asked for: *Enter a code to …*. */
export const PURPOSE = {
  finishUploading: 'finish uploading',
  openDrive: 'open your drive',
  open: (name: string) => `open ${quotedName(name)}`,
  download: (name: string) => `download ${quotedName(name)}`,
  downloadMany: (count: number) => `download ${count.toLocaleString('en')} items`,
  save: (name: string) => `save ${quotedName(name)}`,
} as const;

/** @param beyondCode how many of them the last code does not cover */
export function beyondCodeWords(all: number, beyondCode: number): { tried: string; reason: string } {
  const covered = (all - beyondCode).toLocaleString('en');
  return {
    tried: `Your last code covers ${covered} of these ${all.toLocaleString('en')} files`,
    reason: 'The rest will be uploaded too, then wait for another code.',
  };
}

/** More than anybody reads. */
const UNREAD_NAMED = 5;

/** @param paths of what was dropped and could not be read, at least one */
export function unreadWords(paths: readonly string[]): { tried: string; reason: string } {
  const named = paths.slice(0, UNREAD_NAMED).map(quotedName).join(', ');
  const others = paths.length - UNREAD_NAMED;
  const more = others > 0 ? ` and ${others.toLocaleString('en')} more` : '';
  const isOne = paths.length === 1;
  return {
    tried: isOne ? 'One item was left out' : `${paths.length.toLocaleString('en')} items were left out`,
    reason: `This browser couldn’t read ${named}${more}. ${isOne ? 'It' : 'Each'} may be a link, or not yours to open.`,
  };
}
