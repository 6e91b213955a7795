/** Characters, as people count them, that stay at the end of a name that is shortened. */
const KEPT_CHARACTERS = 10;
/** A name of so few characters is never shortened in its middle. */
const SHORT_CHARACTERS = 20;

/**
 * Scripts that are written from right to left, or whose letters join: cut between two letters, a word of theirs would
 * look like another.
 */
const WHOLE_WORDS =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Mongolian}\p{Script=Adlam}]/u;
const ENDING = /\.[A-Za-z0-9]{1,8}$/;

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * A name in two parts: the first may be shortened where there is no room, the second stays, because it is what tells
 * `contract (draft).docx` from `contract (signed).pdf`. Together they are the name.
 * @param name as it is shown
 */
export function nameParts(name: string): { readonly start: string; readonly end: string } {
  if (name.length <= SHORT_CHARACTERS) return { start: name, end: '' };
  const length = WHOLE_WORDS.test(name) ? (ENDING.exec(name)?.[0].length ?? 0) : endLength(name);
  return { start: name.slice(0, name.length - length), end: length === 0 ? '' : name.slice(-length) };
}

/** In UTF-16 code units. */
function endLength(name: string): number {
  const all = [...characters.segment(name)];
  if (all.length <= SHORT_CHARACTERS) return 0;
  return name.length - (all.at(-KEPT_CHARACTERS)?.index ?? name.length);
}
