import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalName } from '../../src/lib/journal/entries/names.ts';
import { nameFault, stemLength } from '../../src/lib/ui/drive/file-name.ts';

describe('the name that somebody types for a file', () => {
  it.each([
    '',
    '.',
    '..',
    'a/b',
    '/',
    'a\u0000b',
    'line\nbreak',
    'tab\t',
    '\u0085',
    '\ud800',
    'x'.repeat(256),
  ])('cannot be %j', (name) => {
    expect(nameFault(name)).toMatch(/^[A-Z].+\.$/);
  });

  it.each(['a', '...', '.profile', ' spaced ', 'Ärger “ü” 🗝️.txt', 'x'.repeat(255), 'ü'.repeat(127)])(
    'can be %j',
    (name) => {
      expect(nameFault(name)).toBeUndefined();
    },
  );

  it('is refused here exactly when the journal would refuse it', () => {
    const characters = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('/', '.', 'a', 'ü', '\u0007', '\ud83d', '\udd11', '\u0301'),
        maxLength: 140,
      }),
    );
    fc.assert(
      fc.property(characters, (name) => {
        expect(nameFault(name) === undefined).toBe(normalName(name) !== undefined);
      }),
      { seed: 20261, numRuns: 1000 },
    );
  });
});

describe('what of a name is marked for being typed over', () => {
  it.each([
    ['letter.txt', 6],
    ['archive.tar.gz', 11],
    ['README', 6],
    ['.profile', 8],
    ['ends.', 4],
  ])('of %j are the first %i characters', (name, length) => {
    expect(stemLength(name)).toBe(length);
  });
});
