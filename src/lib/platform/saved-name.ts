import { withoutHidden } from '../shown-name.ts';

/**
 * Bytes of UTF-8 that a download's name may have. File systems take 255; Chromium writes `.crdownload` behind the name
 * while a download is under way, and fails one whose name is longer, after it has taken all of its bytes.
 */
const MAX_SAVED_NAME_BYTES = 244;
/** For one of which nothing is left. */
const NAMELESS = '_';
/** `.pdf`, and also `.tar.gz` or `.pdf.floe`. */
const ENDING = /(?<!^)(?:\.[^.]{1,15}){1,2}$/;

/**
 * The name that a file is saved under: its own, without what hides in it; where that is too long, one with less of its
 * stem. The ending stays.
 */
export function savedName(wanted: string): string {
  // Wherever it goes, nobody shows what makes `gpj.exe` look like `exe.jpg`.
  const name = withoutHidden(wanted) || NAMELESS;
  if (sizeBytes(name) <= MAX_SAVED_NAME_BYTES) return name;
  const ending = ENDING.exec(name)?.[0] ?? '';
  const stem = Array.from(name.slice(0, name.length - ending.length));
  let leftBytes = MAX_SAVED_NAME_BYTES - sizeBytes(ending);
  const fits = stem.findIndex((character) => (leftBytes -= sizeBytes(character)) < 0);
  return stem.slice(0, fits).join('') + ending;
}

function sizeBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
