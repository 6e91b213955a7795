import type { StorageReport } from '../worker/protocol.ts';
import { counted, formatSize } from './format.ts';

/** What would be lost if the browser cleared what it keeps for this app. */
export function lossWords({ waiting }: Pick<StorageReport, 'waiting'>): string {
  if (waiting.count === 0) return 'Nothing here is only here: all of it is on the server too.';
  const are = waiting.count === 1 ? 'waits' : 'wait';
  const they = waiting.count === 1 ? 'it' : 'they';
  return `${counted(waiting.count, 'file')} (${formatSize(waiting.sizeBytes)}) ${are} to be uploaded. If the browser cleared this device, ${they} would be lost.`;
}

/** What is kept on this device by will; undefined when there is none. */
export function keptWords({ kept }: Pick<StorageReport, 'kept'>): string | undefined {
  if (kept.count === 0) return undefined;
  return `${counted(kept.count, 'file')} kept on this device, ${formatSize(kept.sizeBytes)}. On the server too.`;
}
