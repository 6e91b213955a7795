import type { Loss, StorageReport } from '../../../protocol/transfer.ts';
import { formatSize } from '../../format.ts';
import { counted } from './counting.ts';

/** *Storage on this device*, in the settings. */
export const STORAGE = {
  title: 'Storage on this device',
  looking: 'Looking…',
  isPersistent: 'The browser has agreed not to clear it on its own.',
  mayBeCleared: 'The browser may clear it when the device runs low on space.',
  isRefused:
    'The browser didn’t agree to keep it. It’s more likely to for apps that are installed or used often.',
  keep: 'Keep data on this device',
} as const;

/** How much is in use, and how much there is besides. */
export function meterWords(usedBytes: number, freeBytes: number): string {
  return `${formatSize(usedBytes)} used, ${formatSize(freeBytes)} free for Halfkey on this device, according to the browser`;
}

/** Signing out where something would be lost by it. */
export const SIGN_OUT = {
  title: 'Sign out and lose what’s only on this device?',
  erases: 'Signing out erases everything on this device.',
  stay: 'Stay signed in',
  signOut: 'Sign out',
} as const;

/** What would be lost if the browser cleared what it keeps for this app. */
export function lossWords({
  waiting,
  pendingNames,
}: Pick<StorageReport, 'waiting' | 'pendingNames'>): string {
  const are = (count: number) => (count === 1 ? 'is' : 'are');
  const files = `${counted(waiting.count, 'file')} (${formatSize(waiting.sizeBytes)}) ${are(waiting.count)} waiting to be uploaded`;
  const names = `${counted(pendingNames, 'new name')} ${are(pendingNames)} waiting to be sent`;
  const all = [...(waiting.count === 0 ? [] : [files]), ...(pendingNames === 0 ? [] : [names])];
  if (all.length === 0) return 'Everything on this device is also on the server.';
  const they = waiting.count + pendingNames === 1 ? 'it' : 'they';
  return `${all.join(', and ')}. If the browser cleared this device’s storage, ${they} would be lost.`;
}

/** What signing out would lose. @param loss something, or undefined when that is not known */
export function signOutWords(loss: Loss | undefined): string {
  if (!loss) return 'There may be files on this device that aren’t on the server yet.';
  const { unsent, pendingNames } = loss;
  const are = unsent.count === 1 ? 'is' : 'are';
  const files = `${counted(unsent.count, 'file')} (${formatSize(unsent.sizeBytes)}) ${are} not on the server yet.`;
  const have = pendingNames === 1 ? 'has a new name' : 'have new names';
  const names = `${counted(pendingNames, 'file')} ${have} that the server doesn’t have yet.`;
  return [...(unsent.count === 0 ? [] : [files]), ...(pendingNames === 0 ? [] : [names])].join(' ');
}

/** What is kept on this device by will; undefined when there is none. */
export function keptWords({ kept }: Pick<StorageReport, 'kept'>): string | undefined {
  if (kept.count === 0) return undefined;
  return `${counted(kept.count, 'file')} kept on this device, ${formatSize(kept.sizeBytes)}. Also on the server.`;
}
