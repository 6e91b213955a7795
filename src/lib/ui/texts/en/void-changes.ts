import { quotedName } from '../../../shown-name.ts';
import type { VoidChanges } from '../../../protocol/drive.ts';
import type { Explanation } from './failures.ts';
import { counted } from './counting.ts';

/** What is said of changes that count for nothing. @param changes at least one */
export function voidWords(changes: readonly VoidChanges[]): Explanation {
  const all = changes.reduce((sum, { count }) => sum + count, 0);
  return {
    title: all === 1 ? 'A change was ignored' : `${counted(all, 'change')} were ignored`,
    text: [...changes.map(whoWords), 'Your files are unchanged.'].join(' '),
  };
}

function whoWords({ device, isSigned, count }: VoidChanges): string {
  const what = count === 1 ? 'One' : String(count);
  if (device === undefined) return `${what} didn’t come from any of your devices.`;
  if (isSigned) {
    return `${what} came from ${quotedName(device)}, which isn’t allowed to make changes, or sent something nobody can read.`;
  }
  return `${what} claimed to come from ${quotedName(device)}, but somebody else wrote ${count === 1 ? 'it' : 'them'}.`;
}
