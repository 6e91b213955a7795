import { utf8 } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';

/** Bytes of UTF-8 that a name may have: what common file systems take. */
export const MAX_NAME_BYTES = 255;
/** Beyond this the entry's id makes a name unique: looking for a free number stays cheap, whatever others write. */
const MAX_COPY_NUMBER = 99;
const PLAIN_NAME = /^[\u0020-\u002e\u0030-\u007e]*$/; // Printable ASCII without "/".
const FORBIDDEN = /[/\p{Cc}]/u;
const LONGEST_EXTENSION_CHARACTERS = 16;

/**
 * Whether the journal takes a text as a name: well-formed Unicode of 1 to 255 bytes of UTF-8, without "/" and control
 * characters, and neither "." nor "..". Whether it is in NFC is not asked: engines of different Unicode versions would
 * answer differently.
 */
export function isName(text: string): boolean {
  if (PLAIN_NAME.test(text)) return isPlainName(text);
  return text.isWellFormed() && !FORBIDDEN.test(text) && fits(text);
}

/** A name as this device writes it, in NFC; undefined when that is not a name. */
export function normalName(text: string): string | undefined {
  const name = PLAIN_NAME.test(text) ? text : text.normalize('NFC');
  return isName(name) ? name : undefined;
}

/** The same for what a person typed. @throws {HalfkeyError} `name_malformed` */
export function toName(text: string): string {
  const name = normalName(text);
  if (name === undefined) {
    throw new HalfkeyError('name_malformed', `no name of 1 to ${String(MAX_NAME_BYTES)} bytes without "/"`);
  }
  return name;
}

/**
 * The picked file's name, or the nearest to it that the journal takes: a file is not refused for its name.
 * "/" and control characters become "_"; what is too long loses the end of its stem.
 */
export function acceptableName(name: string): string {
  const plain = normalName(name);
  if (plain !== undefined) return plain;
  const clean = name
    .toWellFormed()
    .normalize('NFC')
    .replace(/[/\p{Cc}]/gu, '_');
  if (clean === '' || clean === '.' || clean === '..') return toName(`file${clean}`);
  const dot = clean.lastIndexOf('.');
  const extension = dot > 0 && clean.length - dot <= 16 ? clean.slice(dot) : '';
  const stem = Array.from(clean.slice(0, clean.length - extension.length));
  while (utf8(stem.join('') + extension).length > MAX_NAME_BYTES) stem.pop();
  return toName(stem.join('') + extension);
}

function isPlainName(text: string): boolean {
  return text.length > 0 && text.length <= MAX_NAME_BYTES && text !== '.' && text !== '..';
}

function fits(name: string): boolean {
  return name.length * 3 <= MAX_NAME_BYTES || utf8(name).length <= MAX_NAME_BYTES;
}

/**
 * The name that an entry gets in a folder where its own may be taken: "a.txt", "a (2).txt" … "a (99).txt", then
 * "a (ID).txt". Depends on nothing but the arguments, so every device finds the same.
 *
 * @param isTaken whether the folder has this very name; compared by code units, in no normal form
 * @returns undefined when all of these are taken
 */
export function freeName(name: string, id: string, isTaken: (name: string) => boolean): string | undefined {
  if (!isTaken(name)) return name;
  for (let number = 2; number <= MAX_COPY_NUMBER; number++) {
    const copy = withSuffix(name, ` (${String(number)})`);
    if (!isTaken(copy)) return copy;
  }
  const last = withSuffix(name, ` (${id})`);
  return isTaken(last) ? undefined : last;
}

/** The suffix goes before the extension; what is too long is cut off the end of the stem, by whole code points. */
function withSuffix(name: string, suffix: string): string {
  const dot = name.lastIndexOf('.');
  const hasExtension = dot > 0 && name.length - dot <= LONGEST_EXTENSION_CHARACTERS;
  const extension = hasExtension ? name.slice(dot) : '';
  const stem = Array.from(hasExtension ? name.slice(0, dot) : name);
  // The suffix begins with a space, so what follows the stem never composes with it: what is in NFC stays so.
  while (!fits(stem.join('') + suffix + extension)) stem.pop();
  return stem.join('') + suffix + extension;
}

const MARKS = /\p{M}/gu;
const DIGITS = /\d+/g;
const ASCII = /^[\u0000-\u007f]*$/; // eslint-disable-line no-control-regex -- a range, from its first character on

/** What a filter compares: lower case, without marks (NFKD). "Ärger" and "arger" are alike. */
export function searchKey(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  return name.normalize('NFKD').replace(MARKS, '').toLowerCase();
}

/** What sorting compares, by code units: as `searchKey`, and numbers by their value ("a2" before "a10"). */
export function sortKey(search: string): string {
  return search.replace(DIGITS, (run) => {
    const digits = run.replace(/^0+(?=\d)/, '');
    return String.fromCharCode(0x30 + Math.min(digits.length, 9)) + digits;
  });
}
