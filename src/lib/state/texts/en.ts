import { quotedName } from '../../names.ts';
import type { TransferReport } from '../../protocol/transfer.ts';

/** What is said to people who do not see the screen. */
export const SPOKEN = {
  open: 'Halfkey is open.',
  locked: 'Halfkey is locked.',
  signedOut: 'You are signed out.',
  codeSpent: 'That code has been used up. Enter another one to go on.',
} as const;

export const deletedForGood = (name: string): string => `${quotedName(name)} was deleted for good.`;

/** How a transfer ended; undefined where that was somebody's own doing. */
export function transferEnded({ name, direction, phase, isHandedOver }: TransferReport): string | undefined {
  const did = direction === 'up' ? 'uploaded' : 'downloaded';
  if (phase === 'failed') return `${quotedName(name)} was not ${did}.`;
  if (phase !== 'done') return undefined;
  return `${quotedName(name)} ${isHandedOver ? 'was sent to your browser’s downloads' : `was ${did}`}.`;
}

/** After the first of many alike. */
export const andMore = (count: number): string[] => (count === 0 ? [] : [`And ${String(count)} more.`]);

/** How many files a filter lets through. */
export function filesFound(count: number, filter: string): string {
  const what = filter.trim() === '' ? 'file' : 'result';
  const found = `${count === 0 ? 'No' : count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
  return what === 'file' ? `${found}.` : `${found} for ${quotedName(filter)}.`;
}

/** The hidden frame that a download comes by. */
export const DOWNLOAD = 'Download';

/** What was tried, where it did not work; the reason follows. */
export const NOT_DONE = {
  filesAdded: 'The files were not added',
  locked: 'The drive was not locked',
  unlocked: 'The drive was not unlocked',
  signedOut: 'You were not signed out',
  uploadsWait: 'Uploads are waiting for a code',
  opened: (name: string) => `${quotedName(name)} was not opened`,
  downloaded: (name: string) => `${quotedName(name)} was not downloaded`,
  saved: (name: string) => `${quotedName(name)} was not saved`,
  kept: (name: string) => `${quotedName(name)} is not kept on this device`,
  dropped: (name: string) => `${quotedName(name)} is still kept on this device`,
} as const;

/** What a code is asked for: *Enter a code to …*. */
export const PURPOSE = {
  finishUploading: 'finish uploading',
  openDrive: 'open your drive',
  open: (name: string) => `open ${quotedName(name)}`,
  download: (name: string) => `download ${quotedName(name)}`,
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
