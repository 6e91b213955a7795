import { describe, expect, it } from 'vitest';
import { hiddenIn, quotedName, shownName, withoutHidden } from '../../src/lib/shown-name.ts';

const BIDI = [0x061c, 0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)];
const ZERO_WIDTH = [0x00ad, 0x034f, 0x200b, 0x200c, 0x200d, ...range(0x2060, 0x2064), 0xfeff];
const FILLERS = [0x115f, 0x1160, 0x2800, 0x3164, 0xffa0];
const OTHERS = [
  0x0000, 0x000a, 0x007f, 0x0085, 0x2028, 0x2029, 0xd800, 0xdfff, 0xfe0f, 0xfff9, 0xe0001, 0xe0041,
];

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function point(codePoint: number): string {
  return codePoint.toString(16).toUpperCase().padStart(4, '0');
}

describe('a name as it is shown', () => {
  it.each([...BIDI, ...ZERO_WIDTH, ...FILLERS, ...OTHERS].map((each) => [point(each), each] as const))(
    'has U+%s as what it is',
    (name, codePoint) => {
      const character = String.fromCodePoint(codePoint);
      expect(shownName(`holiday${character}gpj.exe`)).toBe(`holiday[U+${name}]gpj.exe`);
      expect(hiddenIn(`a${character}b${character}`)).toEqual([`[U+${name}]`]);
      expect(withoutHidden(`a${character}b`)).toBe('ab');
    },
  );

  it.each([
    'Ärger “ü” 🗝️.txt',
    'family 👨‍👩‍👧‍👦.jpg', // joined by U+200D
    'heart ❤️ and 👍🏽 and 1️⃣',
    'couple 👩‍❤️‍💋‍👨 and 🏳️‍🌈',
    '🏴󠁧󠁢󠁳󠁣󠁴󠁿 trip', // Scotland's flag, of tags
    'می‌خواهم.txt', // Persian, with U+200C
    'क्‍ष.pdf', // Devanagari, with U+200D
    '葛󠄀城.txt', // a variant of a Han letter
    'חופשה.jpg', // right to left by its letters
    'Screenshot 9.41.00 AM.png', // U+202F, as macOS writes it: a space, and seen as one
    '٣٫١٤ ؀٥.csv',
  ])('is the same when nothing hides in it: %s', (name) => {
    expect(shownName(name)).toBe(name);
    expect(hiddenIn(name)).toEqual([]);
    expect(withoutHidden(name)).toBe(name);
  });

  it('hides no text in the tags of a flag, nor in a joiner beside other letters', () => {
    const tags = Array.from('run me', (each) => String.fromCodePoint(0xe0000 + each.charCodeAt(0))).join('');
    expect(shownName(`🏴${tags}\u{E007F}`)).toMatch(/^🏴(\[U\+E00..\]){7}$/u);
    expect(shownName('a\u200Db')).toBe('a[U+200D]b');
    expect(shownName('م\u200Ca')).toBe('م[U+200C]a');
    expect(shownName('invoice1\uFE0F.pdf')).toBe('invoice1[U+FE0F].pdf');
  });

  it('is quoted within a sentence as it is shown', () => {
    expect(quotedName('a\u202Eb')).toBe('“a[U+202E]b”');
  });
});
