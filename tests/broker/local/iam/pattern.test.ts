import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parsePattern } from '../../../../broker/local/iam/pattern.ts';

const SUB = '${cognito-identity.amazonaws.com:sub}';
const match = (pattern: string, value: string, sub?: string): boolean =>
  matches(parsePattern(pattern, { sub: true }), value, sub);

describe('patterns of policies', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['a', '', false],
    ['a', 'A', false],
    ['*', '', true],
    ['*', 'a/b:c', true],
    ['?', '', false],
    ['?', 'a', true],
    ['?', 'ab', false],
    ['?', '😀', true],
    ['v/*', 'v/', true],
    ['v/*', 'v', false],
    ['v/*', 'xv/a', false],
    ['v/*/log', 'v/a/b/log', true],
    ['v/*/log', 'v/a/b/log2', false],
    ['*a*b', 'xaxbxb', true],
    ['*a*b', 'xbxa', false],
    ['a?c', 'abc', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['^a$', 'a', false],
    ['${*}', 'a', false],
    ['${*}', '*', true],
    ['a${?}${$}', 'a?$', true],
    ['$', '$', true],
  ])('"%s" against "%s" is %s', (pattern, value, expected) => {
    expect(match(pattern, value)).toBe(expected);
  });

  it('takes the value of a variable literally, stars and all', () => {
    expect(match(`v/${SUB}/*`, 'v/me/x', 'me')).toBe(true);
    expect(match(`v/${SUB}/*`, 'v/you/x', 'me')).toBe(false);
    expect(match(`v/${SUB}/*`, 'v/you/x', '*')).toBe(false);
    expect(match(`v/${SUB}/*`, 'v/*/x', '*')).toBe(true);
    expect(match(`v/${SUB}/*`, 'v/you/x', '???')).toBe(false);
    expect(match(`v/${SUB}/*`, 'v//x', undefined)).toBe(false);
    expect(match(`v/${SUB}`, `v/${SUB}`, SUB)).toBe(true);
  });

  it('gives wildcards no meaning where the operator has none', () => {
    const pattern = parsePattern('a*?', { sub: false });
    expect(matches(pattern, 'abc', undefined, false)).toBe(false);
    expect(matches(pattern, 'a*?', undefined, false)).toBe(true);
  });

  it.each(['${aws:username}', '${}', 'a${', '${cognito-identity.amazonaws.com:sub'])(
    'refuses the variable %s',
    (source) => {
      expect(() => parsePattern(source, { sub: true })).toThrow('unknown_variable');
    },
  );

  it('refuses the sub where requests have none', () => {
    expect(() => parsePattern(SUB, { sub: false })).toThrow('unknown_variable');
  });

  it('agrees with a regular expression', () => {
    const small = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(
        small,
        fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 }),
        (pattern, value) => {
          const source = pattern.replaceAll('*', '.*').replaceAll('?', '.');
          expect(match(pattern, value)).toBe(new RegExp(`^${source}$`, 'su').test(value));
        },
      ),
      { seed: 1, numRuns: 5000 },
    );
  });

  it('ends on patterns that make a backtracking matcher run for ever', () => {
    expect(match(`${'*a'.repeat(500)}b`, 'a'.repeat(1024))).toBe(false);
  });
});
