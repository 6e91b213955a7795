import { hiddenIn } from '../../shown-name.ts';
import { NAME_FAULTS } from '../texts/en/drive-dialogs.ts';

/**
 * Bytes of UTF-8 that a file's name may have; the journal's rule (docs/FORMAT.md, Names), said before the journal has
 * to say it.
 */
const MAX_NAME_BYTES = 255;

/** Why a file cannot have this name, as a sentence; undefined when it can. */
export function nameFault(name: string): string | undefined {
  if (name === '') return NAME_FAULTS.empty;
  if (name === '.' || name === '..') return NAME_FAULTS.reserved;
  if (name.includes('/')) return NAME_FAULTS.slash;
  const hidden = hiddenIn(name);
  if (hidden.length > 0) return NAME_FAULTS.hidden(hidden);
  const bytes = new TextEncoder().encode(name.normalize('NFC')).length;
  if (bytes > MAX_NAME_BYTES) return NAME_FAULTS.tooLong;
  return undefined;
}

/**
 * How much of a name is in front of its ending: what is marked when somebody is about to change it. In UTF-16 code
 * units.
 */
export function stemLength(name: string): number {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? dot : name.length;
}
