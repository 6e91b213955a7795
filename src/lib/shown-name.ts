// A name is whatever its writer chose, and what it looks like is for the reader to rely on: what changes its look
// without being seen itself is shown as what it is, as text, so that it does nothing in a title or a label either.

/** Sequences in which an invisible character does its visible work: they stay as they are. */
const AT_WORK = [
  // Emoji: variation, joined ones, flags of regions (UTS #51; 3 to 6 tags, so that no text hides in them).
  String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\u20E3])\uFE0F`,
  String.raw`(?<=[0-9#*])\uFE0F(?=\u20E3)`,
  String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F])\u200D(?=\p{Extended_Pictographic})`,
  String.raw`(?<=\u{1F3F4})[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}`,
  // Joiners between letters of a script that is written with them (Persian, Urdu, Hindi …; the idea of RFC 5892,
  // appendix A).
  ...[
    'Arabic',
    'Bengali',
    'Devanagari',
    'Gujarati',
    'Gurmukhi',
    'Kannada',
    'Malayalam',
    'Oriya',
    'Sinhala',
    'Tamil',
    'Telugu',
  ].map((script) => String.raw`(?<=\p{Script=${script}})[\u200C\u200D](?=\p{Script=${script}})`),
  // Forms of a letter that a writer may choose.
  String.raw`(?<=\p{Script=Han})[\uFE00-\uFE02\u{E0100}-\u{E01EF}]`,
  String.raw`(?<=\p{Script=Mongolian})[\u180B-\u180D\u180F]`,
  // Format characters that are seen, such as the Arabic number sign.
  String.raw`[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}]`,
].join('|');

/**
 * Bidi controls, zero-width and filling characters, line ends, controls, half characters; and an empty pattern of
 * Braille.
 */
const INVISIBLE = String.raw`[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u2800]`;

/** One invisible character; what does no visible work is captured. Looked for first, because most names have none. */
const EACH = new RegExp(String.raw`(?=${INVISIBLE})(?:${AT_WORK}|([\s\S]))`, 'gu');

/**
 * A name, user name or device's name as people are to see it: `holiday[U+202E]gpj.exe`. The same text when nothing
 * hides in it.
 */
export function shownName(name: string): string {
  return name.replaceAll(EACH, (match, invisible: string | undefined) =>
    invisible === undefined ? match : `[U+${hex(invisible)}]`,
  );
}

/** A name within a sentence, in quotation marks. */
export function quotedName(name: string): string {
  return `“${shownName(name)}”`;
}

/** What of a name cannot be seen, each once, as `shownName` shows it; empty when nothing hides in it. */
export function hiddenIn(name: string): readonly string[] {
  const found = [...name.matchAll(EACH)].flatMap(([, invisible]) =>
    invisible === undefined ? [] : [invisible],
  );
  return [...new Set(found)].map((invisible) => `[U+${hex(invisible)}]`);
}

/** A name without what cannot be seen in it. */
export function withoutHidden(name: string): string {
  return name.replaceAll(EACH, (match, invisible: string | undefined) =>
    invisible === undefined ? match : '',
  );
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
