import type { TransferCounts } from '../../state/transfers.svelte.ts';
import type { TransferReport } from '../../protocol/transfer.ts';
import { counted } from '../format.ts';

type TransferState = Pick<TransferReport, 'phase' | 'direction' | 'isSafe' | 'error'>;

const PHASES = {
  waiting: 'Waiting',
  encrypting: 'Encrypting',
  uploading: 'Uploading',
  verifying: 'Verifying',
  downloading: 'Downloading',
  done: 'Done',
  cancelled: 'Cancelled',
  failed: 'Failed',
} as const;

/** Whether something is happening to a transfer: it has figures then. */
export function moves({ phase }: Pick<TransferReport, 'phase'>): boolean {
  return phase === 'encrypting' || phase === 'uploading' || phase === 'verifying' || phase === 'downloading';
}

/**
 * Where a transfer stands, for people. What is on its way is never called saved before it is.
 * @param wifiOnly whether this device waits for a line that costs nothing
 */
export function transferWords({ phase, direction, isSafe, error }: TransferState, wifiOnly: boolean): string {
  switch (phase) {
    case 'waiting-for-network': {
      const when = wifiOnly ? 'when you are online by Wi-Fi' : 'when you are online';
      if (direction === 'down') return `Goes on ${when}.`;
      return isSafe
        ? `Encrypted on this device. Will upload ${when}.`
        : `Not taken in yet: keep this page open. Goes on ${when}.`;
    }
    case 'waiting-for-file':
      return 'Not taken in whole: pick the same file again.';
    case 'waiting-for-code':
      if (direction === 'down') return 'Waiting for a code.';
      return isSafe
        ? 'Uploaded. Appears in your drive after the next code.'
        : 'Not uploaded whole: keep this page open. Goes on after the next code.';
    case 'waiting':
    case 'encrypting':
      return direction === 'up' && !isSafe ? `${PHASES[phase]}: keep this page open` : PHASES[phase];
    case 'failed':
      // The one failure that leaves nothing of it anywhere, and that the person at this device can mend.
      return direction === 'up' && error?.code === 'device_full' ? 'Not taken in' : PHASES[phase];
    case 'uploading':
    case 'verifying':
    case 'downloading':
    case 'done':
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
  counts: Pick<TransferCounts, 'underWay' | 'resting' | 'failed' | 'uploaded' | 'downloaded'>,
): string {
  const { underWay, resting, failed, uploaded, downloaded } = counts;
  const open = countedEach([
    [underWay, 'in progress'],
    [resting, 'waiting'],
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
