import type { TransferReport } from '../../protocol/transfer.ts';
import { counted } from '../format.ts';

type TransferState = Pick<TransferReport, 'phase' | 'direction' | 'isSafe' | 'error' | 'isHandedOver'>;

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
export function transferWords(
  { phase, direction, isSafe, error, isHandedOver }: TransferState,
  wifiOnly: boolean,
): string {
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
    case 'done':
      return isHandedOver ? 'Passed to your browser’s downloads' : PHASES[phase];
    case 'uploading':
    case 'verifying':
    case 'downloading':
    case 'cancelled':
      return PHASES[phase];
    default:
      return phase satisfies never;
  }
}

/** Why a transfer that waits for its file did not go on with the one that was picked. */
export const OTHER_FILE =
  'This is not the file that was begun with, or it was changed since. Pick that one, or cancel the transfer.';

/** What stands above all transfers. */
export function transfersTitle(counts: {
  readonly underWay: number;
  readonly resting: number;
  readonly failed: number;
}): string {
  const { underWay, resting, failed } = counts;
  const all = [
    [underWay, 'under way'],
    [resting, 'waiting'],
    [failed, 'failed'],
  ] as const;
  const words = all
    .filter(([count]) => count > 0)
    .map(
      ([count, how], index) => `${index === 0 ? counted(count, 'file') : count.toLocaleString('en')} ${how}`,
    );
  return words.length === 0 ? 'All done' : words.join(', ');
}
