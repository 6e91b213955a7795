import { describe, expect, it } from 'vitest';
import {
  backupCodeOf,
  codeDigits,
  inGroups,
  pastedCode,
  secondsToNextCode,
} from '../../src/lib/ui/digits.ts';

describe('the six-digit field', () => {
  it.each([
    ['', ''],
    ['12345', '12345'],
    ['123456', '123456'],
    ['1234567', '123456'],
    ['123 456', '123456'],
    ['12-34 56', '123456'],
    ['code: 123456', '123456'],
    ['１２３４５６', '123456'],
    ['abc', ''],
  ])('keeps of %j what are digits: %j', (typed, digits) => {
    expect(codeDigits(typed)).toBe(digits);
  });

  it.each([
    ['123456', '123456'],
    [' 123 456\n', '123456'],
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
    ['ABCDEFGH2345672', undefined],
    ['ABCDEFGH234567234', undefined],
    ['ABCDEFGH23456701', undefined],
  ])('takes %j for %j', (typed, code) => {
    expect(backupCodeOf(typed)).toBe(code);
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
