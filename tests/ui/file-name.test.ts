import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalName } from '../../src/lib/journal/entries/names.ts';
import { hiddenIn } from '../../src/lib/shown-name.ts';
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
    'holiday\u202Egpj.exe',
    'two\u200Bwords',
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

  it('names what in it cannot be seen', () => {
    expect(nameFault('holiday\u202Egpj\u200B\u202E.exe')).toContain('[U+202E], [U+200B].');
  });

  it('is refused here when the journal would refuse it, and else only for what cannot be seen in it', () => {
    const characters = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('/', '.', 'a', 'ü', '\u0007', '\ud83d', '\udd11', '\u0301'),
        maxLength: 140,
      }),
    );
    fc.assert(
      fc.property(characters, (name) => {
        expect(nameFault(name) === undefined).toBe(
          normalName(name) !== undefined && hiddenIn(name).length === 0,
        );
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
