import { quotedName } from '../../../shown-name.ts';
import type { DroppedChange } from '../../../protocol/drive.ts';
import { explain, type Explanation } from './failures.ts';

/** More names than that are counted. */
const NAMED = 3;

/** What did not become of a file or folder. */
const NOT_DONE = {
  rename: (names) => `Nothing was renamed to ${names}`,
  'folder-add': (names) => `No folder ${names} was made`,
  'version-restore': (names) => `No earlier version restored: ${names}`,
  move: (names) => `Not moved: ${names}`,
  trash: (names) => `Not moved to Trash: ${names}`,
  restore: (names) => `Not restored: ${names}`,
  tag: (names) => `Tags not changed: ${names}`,
} as const satisfies Record<NonNullable<DroppedChange['kind']>, (names: string) => string>;

/**
 * What is said of changes that were given up, all at once: the last one must not hide the others.
 * @param dropped at least one
 */
export function droppedWords(dropped: readonly DroppedChange[]): Explanation {
  const [first] = dropped;
  const isAlike = dropped.every(({ kind }) => kind === first?.kind);
  const names = [...new Set(dropped.map(({ name }) => name).filter((name) => name !== ''))];
  // What is stored here and does not open any more has no name to tell.
  if (names.length === 0 || !first) {
    return {
      title: 'A change was lost',
      text: 'It was waiting on this device to be sent, and can’t be read any more. Your files are unchanged.',
    };
  }
  const isOfNames = isAlike && first.kind !== undefined;
  const title = isOfNames ? NOT_DONE[first.kind](listed(names, first.kind)) : `Not changed: ${listed(names)}`;
  return { title, text: dropped.length > 1 ? MEANWHILE : reasonOf(first) };
}

const MEANWHILE = 'In the meantime, other devices deleted, moved or renamed these, or where they were to go.';

function reasonOf({ code }: DroppedChange): string {
  if (code === 'folder_gone') return 'Another device deleted the folder it was to go to. It is where it was.';
  if (code === 'folder_within') return 'Another device moved that folder into this one. It is where it was.';
  const { title, text } = explain({ code, detail: {} }, 0);
  return `${title}. ${text}`;
}

function listed(names: readonly string[], kind?: DroppedChange['kind']): string {
  const others = names.length - NAMED;
  const said = names.slice(0, NAMED).map(quotedName);
  if (others > 0) said.push(others === 1 ? '1 other' : `${String(others)} others`);
  return new Intl.ListFormat('en', { type: kind === 'rename' ? 'disjunction' : 'conjunction' }).format(said);
}
