import { quotedName } from '../../../shown-name.ts';

/** A file comes to where its name is taken. */
export const CONFLICT = {
  version: 'New version',
  both: 'Keep both',
  skip: 'Skip',
  file: 'A new version replaces the file. Earlier versions stay, and can be opened and restored.',
  folder: 'A folder has this name. To keep both, the file gets a number.',
} as const;

export function conflictTitle(name: string): string {
  return `${quotedName(name)} is already there`;
}

/** @param left how many there are, this one included; at least two */
export function forAllWords(left: number): string {
  return left === 2 ? 'For both' : `For all ${left.toLocaleString('en')}`;
}
