import { utf8 } from '../../bytes.ts';
import { MAX_NAME_BYTES } from '../../journal/entries/names.ts';

// Names within a zip, as every system takes them. Whoever unpacks it may have a file system that knows no capitals,
// takes other signs for its own, or has names of its own; and the name is whatever its writer chose.

/** What Windows forbids, with "/"; controls; what turns the direction of writing; half characters. */
const UNSAFE = /[<>:"/\\|?*\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;
/** Windows drops them. */
const AT_END = /[. ]+$/;
/** Devices on Windows, with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:\.|$)/i;

const LONGEST_ENDING = 16;
const FIRST_NUMBER = 2;
/** Linux takes no longer path, and a zip's own field ends at 65,535 bytes. */
const MAX_PATH_BYTES = 4000;

/** A name that is one step of a path on every system: never empty, ".", "..", too long, or with a separator in it. */
export function safeName(name: string): string {
  const clean = name.normalize('NFC').replace(UNSAFE, '_');
  const own = DEVICE.test(clean) || clean === '' ? `_${clean}` : clean;
  return shortened(own).replace(AT_END, (end) => '_'.repeat(end.length));
}

/** Its stem loses its end. */
function shortened(name: string): string {
  const [stem, ending] = partsOf(name);
  return cutStem(stem, ending) + ending;
}

/** What is longer than any ending counts to the stem. */
function partsOf(name: string): [stem: string, ending: string] {
  const dot = name.lastIndexOf('.');
  const hasEnding = dot > 0 && name.length - dot <= LONGEST_ENDING;
  return hasEnding ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
}

/** By whole code points, so that it fits with what comes behind it. */
function cutStem(stem: string, behind: string): string {
  const room = MAX_NAME_BYTES - utf8(behind).length;
  if (utf8(stem).length <= room) return stem;
  const characters = Array.from(stem);
  let sizeBytes = 0;
  const end = characters.findIndex((character) => (sizeBytes += utf8(character).length) > room);
  return characters.slice(0, end).join('');
}

/** What some file systems pass over when they compare, and nobody sees. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * The same for names that some file system takes for the same: without capitals, in another normal form. There is a
 * capital ß that only its small form takes to SS.
 */
function alike(name: string): string {
  const seen = name.normalize('NFD').replace(UNSEEN, '');
  return seen.toLowerCase().toUpperCase().toLowerCase().normalize('NFD');
}

/**
 * Names of what lies side by side in a folder, in the order of the arguments: each is safe, and no two are alike. What is
 * safe as it is keeps its name before what has to be changed; whatever is like another gets a number.
 * @param taken names that are there already, in the form that is compared; these are added
 */
export function namesWithin(all: readonly { readonly name: string }[], taken = new Set<string>()): string[] {
  const wanted = all.map(({ name }) => ({
    name,
    safe: safeName(name),
    given: undefined as string | undefined,
  }));
  const give = (each: (typeof wanted)[number], name: string) => {
    taken.add(alike(name));
    each.given = name;
  };
  for (const isUnchanged of [true, false]) {
    for (const each of wanted) {
      const isFree = each.given === undefined && !taken.has(alike(each.safe));
      if (isFree && (each.safe === each.name) === isUnchanged) give(each, each.safe);
    }
  }
  const numbered = new Map<string, number>();
  for (const each of wanted) {
    if (each.given !== undefined) continue;
    let number = numbered.get(alike(each.safe)) ?? FIRST_NUMBER;
    while (taken.has(alike(withNumber(each.safe, number)))) number += 1;
    numbered.set(alike(each.safe), number + 1);
    give(each, withNumber(each.safe, number));
  }
  return wanted.map(({ given = '' }) => given);
}

/** Before the ending, as the journal does it. */
function withNumber(name: string, number: number): string {
  const [stem, ending] = partsOf(name);
  const suffix = ` (${String(number)})`;
  return cutStem(stem, suffix + ending) + suffix + ending;
}

/** Whether a zip can have an entry at that path. */
export function fitsPath(path: string): boolean {
  return utf8(path).length <= MAX_PATH_BYTES;
}
