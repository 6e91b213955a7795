import type { Holdup, TransferCounts, TransferPace, TransferReport } from '../../../protocol/transfer.ts';
import { formatRate } from '../../format.ts';
import { counted } from './counting.ts';
import { formatTimeLeft, formatWait } from './times.ts';

type TransferState = Pick<
  TransferReport,
  'phase' | 'direction' | 'isSafe' | 'error' | 'holdup' | 'restsHere' | 'isHandedOver' | 'instead'
>;

const PHASES = {
  waiting: 'Waiting',
  encrypting: 'Encrypting',
  uploading: 'Uploading',
  verifying: 'Verifying',
  downloading: 'Downloading',
  done: 'Done',
  paused: 'Paused',
  cancelled: 'Cancelled',
  failed: 'Failed',
} as const;

/** What stands on buttons and beside them. */
export const TRANSFERS = {
  title: 'Transfers',
  clear: 'Clear',
  showAll: 'Show all transfers',
  tryNow: 'Try now',
  enterCode: 'Enter code',
  retry: 'Retry',
  dismiss: 'Dismiss',
  cancel: 'Cancel',
  pause: 'Pause',
  resume: 'Resume',
  pauseAll: 'Pause all',
  resumeAll: 'Resume all',
  progress: 'Progress of all transfers',
  pickAgain: 'Pick again',
} as const;

/** Names of what belongs to one transfer, for screen readers. `name`: as it is shown. */
export const OF_ONE = {
  progress: (name: string) => `Progress of ${name}`,
  retry: (name: string) => `${TRANSFERS.retry} ${name}`,
  dismiss: (name: string) => `${TRANSFERS.dismiss} ${name}`,
  cancel: (name: string) => `${TRANSFERS.cancel} ${name}`,
  pause: (name: string) => `${TRANSFERS.pause} ${name}`,
  resume: (name: string) => `${TRANSFERS.resume} ${name}`,
  pickAgain: (name: string) => `${TRANSFERS.pickAgain} ${name}`,
} as const;

/** How many files wait for a code. */
export function codeWords(count: number): string {
  return `${counted(count, 'file')} ${count === 1 ? 'is' : 'are'} waiting for a code.`;
}

/** Transfers for which there is no row. */
export function moreWords(count: number): string {
  return `… and ${counted(count, 'other')}`;
}

/** Whether something is happening to a transfer: it has figures then. */
export function moves({ phase }: Pick<TransferReport, 'phase'>): boolean {
  return phase === 'encrypting' || phase === 'uploading' || phase === 'verifying' || phase === 'downloading';
}

/** What this device knows of its own line. */
export interface Line {
  /** Whether it waits for one that costs nothing. */
  readonly wifiOnly: boolean;
  /** Whether the browser says that there is none. */
  readonly isOffline: boolean;
}

/** Who does not answer; undefined when it is this device that has no line, or shall not use it. */
export function silenceWords(holdup: Holdup | undefined, { isOffline }: Line): string | undefined {
  if (isOffline || !holdup || holdup.why === 'metered') return undefined;
  return holdup.why === 'server' ? 'The server isn’t answering.' : 'The file storage isn’t answering.';
}

/** When it is tried again. @param nowMs by this device's clock */
export function nextTryWords({ nextTryAtMs }: Holdup, nowMs: number): string {
  if (nextTryAtMs === undefined || nextTryAtMs <= nowMs) return 'Trying again now.';
  const seconds = Math.ceil((nextTryAtMs - nowMs) / 1000);
  return `Trying again in ${seconds < 90 ? `${String(seconds)} s` : formatWait(seconds)}.`;
}

function waitWords({ direction, isSafe, holdup }: TransferState, line: Line): string {
  if (direction === 'down') return silenceWords(holdup, line) ?? 'Will continue when you are online.';
  const rests = isSafe ? 'Encrypted on this device.' : 'Not encrypted yet: keep this page open.';
  const silence = silenceWords(holdup, line);
  if (silence !== undefined) return `${rests} ${silence}`;
  const when = line.wifiOnly ? 'when you are on Wi-Fi' : 'when you are online';
  return `${rests} ${isSafe ? 'Will upload' : 'Continues'} ${when}.`;
}

const INSTEAD = {
  'top-folder': 'Done. It is in the top folder: the folder it was for is gone or in Trash.',
  'own-file': 'Done. It is a file of its own: the one it was a version of is gone or in Trash.',
} as const satisfies Record<NonNullable<TransferReport['instead']>, string>;

/**
 * Where a transfer stands, for people. What is on its way is never called saved before it is, and nobody is called
 * offline who is not.
 */
export function transferWords(transfer: TransferState, line: Line): string {
  const { phase, direction, isSafe, error, isHandedOver } = transfer;
  switch (phase) {
    case 'waiting-for-network':
      return waitWords(transfer, line);
    case 'waiting-for-file':
      return 'Only partly read: pick the same file again.';
    case 'waiting-for-code':
      if (direction === 'down') return 'Waiting for a code.';
      if (isSafe && transfer.restsHere) return 'Encrypted on this device. Continues after the next code.';
      return isSafe
        ? 'Uploaded. Appears in your drive after the next code.'
        : 'Only partly uploaded: keep this page open. Continues after the next code.';
    case 'waiting':
    case 'encrypting':
      return direction === 'up' && !isSafe ? `${PHASES[phase]}: keep this page open` : PHASES[phase];
    case 'failed':
      // The one failure that leaves nothing of it anywhere, and that the person at this device can mend.
      return direction === 'up' && error?.code === 'device_full' ? 'Not added' : PHASES[phase];
    case 'done':
      if (transfer.instead) return INSTEAD[transfer.instead];
      return isHandedOver ? 'Sent to your browser’s downloads' : PHASES[phase];
    case 'uploading':
    case 'verifying':
    case 'downloading':
    case 'paused':
    case 'cancelled':
      return PHASES[phase];
    default:
      return phase satisfies never;
  }
}

/** Why a transfer that waits for its file did not go on with the one that was picked. */
export const OTHER_FILE =
  'This isn’t the file that the upload started with, or it has changed since. Pick that file, or cancel the upload.';

/** What stands above all transfers: what still goes on or went wrong, else what has been done. */
export function transfersTitle(
  counts: Pick<TransferCounts, 'underWay' | 'resting' | 'paused' | 'failed' | 'uploaded' | 'downloaded'>,
): string {
  const { underWay, resting, paused, failed, uploaded, downloaded } = counts;
  const open = countedEach([
    [underWay, 'in progress'],
    [resting - paused, 'waiting'],
    [paused, 'paused'],
    [failed, 'failed'],
  ]);
  if (open !== '') return open;
  const done = countedEach([
    [uploaded, 'uploaded'],
    [downloaded, 'downloaded'],
  ]);
  return done === '' ? 'Nothing in progress' : done;
}

/** `2 files waiting, 1 failed`; empty when there is none of any. */
function countedEach(kinds: readonly (readonly [count: number, how: string])[]): string {
  return kinds
    .filter(([count]) => count > 0)
    .map(
      ([count, how], index) => `${index === 0 ? counted(count, 'file') : count.toLocaleString('en')} ${how}`,
    )
    .join(', ');
}

/** While several are under way: `3 of 60 · 12 MB/s · 5 s left`. */
export function paceWords({ done, all, bytesPerSecond, secondsLeft }: TransferPace): string {
  return [
    `${done.toLocaleString('en')} of ${all.toLocaleString('en')}`,
    ...(bytesPerSecond === undefined ? [] : [formatRate(bytesPerSecond)]),
    ...(secondsLeft === undefined ? [] : [formatTimeLeft(secondsLeft)]),
  ].join(' · ');
}

/** All that has ended well, in one line. */
export function doneWords(count: number): string {
  return `${count.toLocaleString('en')} done`;
}
