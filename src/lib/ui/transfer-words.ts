import type { TransferReport } from '../worker/protocol.ts';
import { counted } from './format.ts';

type TransferState = Pick<TransferReport, 'phase' | 'direction' | 'isSafe'>;

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
export function transferWords({ phase, direction, isSafe }: TransferState, wifiOnly: boolean): string {
  switch (phase) {
    case 'waiting-for-network': {
      const when = wifiOnly ? 'when you are online by Wi-Fi' : 'when you are online';
      if (direction === 'down') return `Goes on ${when}.`;
      return isSafe
        ? `Encrypted on this device. Will upload ${when}.`
        : `Not on the server yet. Goes on ${when}: keep this page open.`;
    }
    case 'waiting-for-file':
      return 'Not taken in whole: pick the same file again.';
    case 'waiting-for-code':
      if (direction === 'down') return 'Waiting for a code.';
      return isSafe
        ? 'Uploaded. Appears in your drive after the next code.'
        : 'Not uploaded whole. Goes on after the next code.';
    case 'waiting':
    case 'encrypting':
    case 'uploading':
    case 'verifying':
    case 'downloading':
    case 'done':
    case 'cancelled':
    case 'failed':
      return PHASES[phase];
    default:
      return phase satisfies never;
  }
}

/** What stands above all transfers. */
export function transfersTitle(counts: { readonly underWay: number; readonly resting: number }): string {
  const { underWay, resting } = counts;
  if (underWay > 0) {
    const also = resting > 0 ? `, ${resting.toLocaleString('en')} waiting` : '';
    return `${counted(underWay, 'file')} under way${also}`;
  }
  return resting > 0 ? `${counted(resting, 'file')} waiting` : 'All done';
}
