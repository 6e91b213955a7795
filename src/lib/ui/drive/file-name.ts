import { hiddenIn } from '../../names.ts';

/** Bytes of UTF-8 that a file's name may have; the journal's rule (docs/FORMAT.md, Names), said before the journal has to say it. */
const MAX_NAME_BYTES = 255;

/** Why a file cannot have this name, as a sentence; undefined when it can. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'Type a name.';
  if (name === '.' || name === '..') return 'This name is reserved for folders. Choose another one.';
  if (name.includes('/')) return 'A name can’t contain “/”.';
  const hidden = hiddenIn(name);
  if (hidden.length > 0) return `This name contains invisible characters: ${hidden.join(', ')}.`;
  const bytes = new TextEncoder().encode(name.normalize('NFC')).length;
  if (bytes > MAX_NAME_BYTES) return 'This name is too long. Make it shorter.';
  return undefined;
}

/** How much of a name is in front of its ending: what is marked when somebody is about to change it. In UTF-16 code units. */
export function stemLength(name: string): number {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? dot : name.length;
}
