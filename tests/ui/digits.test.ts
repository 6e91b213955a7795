import { describe, expect, it } from 'vitest';
import {
  codeLack,
  inGroups,
  pastedCode,
  secondsToNextCode,
  typedBackupCode,
  typedCode,
} from '../../src/lib/ui/digits.ts';

describe('the six-digit field', () => {
  it.each([
    ['', ''],
    ['12345', '12345'],
    ['123456', '123456'],
    ['123 456', '123456'],
    ['12-34 56', '123456'],
    ['12–34.56', '123456'],
    ['１２３４５６', '123456'],
    ['\u200E123\u202F456\u2069', '123456'],
    ['code: 123456', '123456'],
    ['Your code is 123 456. It is good for 30 seconds.', '123456'],
  ])('takes %j for %j', (typed, digits) => {
    expect(typedCode(typed)).toEqual({ digits });
  });

  // Intl knows each script's digits by their names, independently of the order that they have in Unicode.
  it.each(Intl.supportedValuesOf('numberingSystem'))('takes the digits of %s', (system) => {
    const digitsOf = (number: number) =>
      new Intl.NumberFormat(`en-u-nu-${system}`, { useGrouping: false }).format(number);
    if (!/^\p{Nd}{6}$/u.test(digitsOf(123456))) return; // Numerals of another kind, as Roman ones.
    for (const number of [123456, 789012]) {
      expect(typedCode(digitsOf(number))).toEqual({ digits: String(number) });
    }
  });

  it.each([
    ['1234567', ''],
    ['abc', ''],
    ['12a', '12'],
    ['a1b2c3d4e5f6', '123456'],
    ['either 123456 or 654321', ''],
  ])('does not take %j without a word, and keeps %j of it', (typed, digits) => {
    expect(typedCode(typed)).toEqual({ digits, fault: expect.stringMatching(/^A code has .*\.$/) as string });
  });

  it('says how many digits are missing', () => {
    expect(codeLack('12345')).toBe('A code has six digits. This has 5.');
    expect(codeLack('')).toContain('Enter the six digits');
  });

  it.each([
    ['123456', '123456'],
    [' 123 456\n', '123456'],
    ['١٢٣٤٥٦', '123456'],
    ['12345', undefined],
    ['1234567', undefined],
    ['call me at 123456', undefined],
    ['', undefined],
  ])('takes a paste of %j for %j', (pasted, code) => {
    expect(pastedCode(pasted)).toBe(code);
  });
});

describe('backup codes', () => {
  it.each([
    ['ABCDEFGH23456723', 'ABCDEFGH23456723'],
    ['abcd-efgh-2345-6723', 'ABCDEFGH23456723'],
    [' ABCD EFGH 2345 6723 ', 'ABCDEFGH23456723'],
    ['ABCD–EFGH—2345−6723', 'ABCDEFGH23456723'],
    ['ABCD.EFGH/2345_6723', 'ABCDEFGH23456723'],
    ['A\u00ADBCDEFGH2345672\u200B3', 'ABCDEFGH23456723'],
    ['0BCD-1FGH-8345-6723', 'OBCDIFGHB3456723'],
    ['ＡＢＣＤEFGH٢٣٤٥6723', 'ABCDEFGH23456723'],
  ])('takes %j for %j', (typed, code) => {
    expect(typedBackupCode(typed)).toEqual({ code });
  });

  it.each([
    ['', { lack: 'Enter one of the backup codes on your sheet.' }],
    ['ABCDEFGH2345672', { lack: 'A backup code has 16 letters and digits. This has 15.' }],
    ['ABCDEFGH234567234', { fault: 'A backup code has 16 letters and digits. This has 17.' }],
    ['ABCDEFGH23456793', { fault: 'Backup codes never contain “9”. Check that character on your sheet.' }],
    ['АBCDEFGH23456723', { fault: 'Backup codes never contain “А”. Check that character on your sheet.' }],
  ])('answers %j', (typed, answer) => {
    expect(typedBackupCode(typed)).toEqual(answer);
  });
});

it.each([
  [0, 30],
  [1, 30],
  [1_000, 29],
  [29_001, 1],
  [30_000, 30],
])('at %d ms, the next code comes in %d seconds', (nowMs, seconds) => {
  expect(secondsToNextCode(nowMs)).toBe(seconds);
});

it.each([
  ['', 4, []],
  ['ABCD', 4, ['ABCD']],
  ['ABCDE', 4, ['ABCD', 'E']],
])('%j in groups of %d is %j', (text, size, groups) => {
  expect(inGroups(text, size)).toEqual(groups);
});
