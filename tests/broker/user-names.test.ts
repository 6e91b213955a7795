import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { UserName } from '$contract/ids.ts';

/** As the contract makes it; undefined where it takes none. */
const nameOf = (typed: string): string | undefined => {
  const parsed = v.safeParse(UserName, typed);
  return parsed.success ? parsed.output : undefined;
};
const LAST_CODE_POINT = 0x10ffff;
const isSurrogate = (codePoint: number) => codePoint >= 0xd800 && codePoint <= 0xdfff;

/** Of all that are tried, those whose name is another one when it is typed again as it came out. */
function unstable(around: (character: string) => string): string[] {
  const found: string[] = [];
  for (let codePoint = 0; codePoint <= LAST_CODE_POINT; codePoint += 1) {
    if (isSurrogate(codePoint)) continue;
    const typed = around(String.fromCodePoint(codePoint));
    const name = nameOf(typed);
    if (name !== undefined && nameOf(name) !== name) found.push(`U+${codePoint.toString(16)}`);
  }
  return found;
}

describe('a user name', () => {
  it.each<[string, (character: string) => string]>([
    ['by itself', (character) => character],
    ['before a mark', (character) => `${character}\u030c`],
    ['behind a letter', (character) => `J${character}`],
    ['behind a letter and before another mark', (character) => `I${character}\u0307`],
  ])('is the same when it is typed as it came out: each character of Unicode %s', (_how, around) => {
    expect(unstable(around)).toEqual([]);
  });

  it.each([
    ['J\u030c', '\u01f0'],
    ['\u01f0', '\u01f0'],
    ['ADA', 'ada'],
    ['\uff21da', 'ada'],
    ['\ufb01n', 'fin'],
    ['\u1e9e', '\u00df'],
  ])('%j is %j', (typed, name) => {
    expect(nameOf(typed)).toBe(name);
  });

  it.each(['', ' ', 'a b', 'a\u0000', 'a'.repeat(65), '\u200b'])('is not %j', (typed) => {
    expect(nameOf(typed)).toBeUndefined();
  });
});
