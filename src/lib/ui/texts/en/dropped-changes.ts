import { quotedName } from '../../../shown-name.ts';
import type { DroppedChange } from '../../../protocol/drive.ts';
import { explain, type Explanation } from './failures.ts';

/** More names than that are counted. */
const NAMED = 3;

/**
 * What is said of changes that were given up, all at once: the last one must not hide the others.
 * @param dropped at least one
 */
export function droppedWords(dropped: readonly DroppedChange[]): Explanation {
  const names = [...new Set(dropped.map(({ name }) => name).filter((name) => name !== ''))];
  const [only] = dropped;
  // What is stored here and does not open any more has no name to tell.
  if (names.length === 0) {
    return {
      title: 'A rename was lost',
      text: 'It was waiting on this device to be sent, and can’t be read any more. Your files are unchanged.',
    };
  }
  const tried = `No file was renamed to ${oneOf(names)}`;
  if (dropped.length > 1 || !only)
    return {
      title: tried,
      text: 'In the meantime, other devices deleted these files or renamed them first.',
    };
  const { title, text } = explain({ code: only.code, detail: {} }, 0);
  return { title: tried, text: `${title}. ${text}` };
}

function oneOf(names: readonly string[]): string {
  const others = names.length - NAMED;
  const said = names.slice(0, NAMED).map(quotedName);
  if (others > 0) said.push(others === 1 ? '1 other name' : `${String(others)} other names`);
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(said);
}
