import type { OtherDevice } from '../../protocol/credentials.ts';
import { formatDay } from '../format.ts';

/** When a device was heard of last, as a sentence. */
export function heardOf({ lastHeardMs }: OtherDevice): string {
  return lastHeardMs === undefined ? 'Not seen yet.' : `Last seen on ${formatDay(lastHeardMs)}.`;
}
