import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { namesWithin, safeName } from '../../../src/lib/transfer/download/zip-names.ts';

const within = (...names: readonly string[]) => namesWithin(names.map((name) => ({ name })));
const long = 'x'.repeat(251);

describe('a name within a zip', () => {
  it.each([
    ['tax 2026.pdf', 'tax 2026.pdf'],
    ['Ärger 旅 👩‍🚀.txt', 'Ärger 旅 👩‍🚀.txt'],
    ['.profile', '.profile'],
    ['..', '__'],
    ['.', '_'],
    ['', '_'],
    ['...', '___'],
    ['a/../b', 'a_.._b'],
    ['..\\..\\evil.exe', '.._.._evil.exe'],
    ['C:\\evil', 'C__evil'],
    ['a<b>c:d"e|f?g*h', 'a_b_c_d_e_f_g_h'],
    ['tab\tnull\0line\n', 'tab_null_line_'],
    ['holiday\u202egpj.exe', 'holiday_gpj.exe'],
    ['half\ud800', 'half_'],
    ['ends with dots..', 'ends with dots__'],
    ['ends with a space ', 'ends with a space_'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['Aux .tar.gz', '_Aux .tar.gz'],
    ['com1', '_com1'],
    ['LPT¹.log', '_LPT¹.log'],
    ['COM10', 'COM10'],
    ['console.log', 'console.log'],
    ['cafe\u0301', 'caf\u00e9'],
    [`${long}.pdf`, `${long}.pdf`],
    [`CON.${long}`, `_CON.${'x'.repeat(250)}`],
  ])('for %j is %j', (name, safe) => {
    expect(safeName(name)).toBe(safe);
  });

  it('is one step of a path on every system, whatever it was', () => {
    const unsafe = /[<>:"/\\|?*\p{Cc}\p{Bidi_Control}]|[. ]$/u;
    const device = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const safe = safeName(name);
        expect(safe).not.toMatch(unsafe);
        expect(safe).not.toMatch(device);
        expect(safe.isWellFormed() && safe !== '' && utf8(safe).length <= 255).toBe(true);
        expect(safeName(safe)).toBe(safe);
      }),
      { seed: 17, numRuns: 2000 },
    );
  });
});

describe('names side by side in a zip', () => {
  it.each<[string, string[], string[]]>([
    ['differ by case alone', ['a.txt', 'A.TXT', 'A.txt'], ['a.txt', 'A (2).TXT', 'A (3).txt']],
    ['differ by normal form alone', ['caf\u00e9', 'cafe\u0301'], ['caf\u00e9', 'caf\u00e9 (2)']],
    ['differ by more than a system tells apart', ['straße', 'STRASSE'], ['straße', 'STRASSE (2)']],
    ['differ by two kinds of capitals', ['ß', 'ẞ', 'SS'], ['ß', 'ẞ (2)', 'SS (3)']],
    [
      'differ by what nobody sees',
      ['a.txt', 'a\u200b.txt', '\ufeffa.txt'],
      ['a.txt', 'a\u200b (2).txt', '\ufeffa (3).txt'],
    ],
    ['become the same', ['a:b', 'a_b', 'a?b'], ['a_b (2)', 'a_b', 'a_b (3)']],
    ['become a name that is there', ['CON', '_CON'], ['_CON (2)', '_CON']],
    ['are numbered already', ['a', 'A', 'a (2)'], ['a', 'A (3)', 'a (2)']],
  ])('that %s get a number', (_case, names, safe) => {
    expect(within(...names)).toEqual(safe);
  });

  it('are lost in no case, however many come to the same', () => {
    const alike = Array.from(
      { length: 300 },
      (_, index) => `${'ab'.repeat(120)}${'?:*<>'[index % 5]!.repeat(15)}`,
    );
    const safe = within(...alike);
    expect(new Set(safe.map((name) => name.toLowerCase())).size).toBe(300);
    expect(safe.every((name) => utf8(name).length <= 255)).toBe(true);
  });

  it('are safe and no two alike, whatever they were', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom('a', 'A', 'a (2)', 'con', '..'),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 30 }), (names) => {
        const safe = within(...names);
        expect(new Set(safe.map((each) => each.normalize('NFD').toLowerCase())).size).toBe(names.length);
        expect(safe.map(safeName)).toEqual(safe);
      }),
      { seed: 17, numRuns: 500 },
    );
  });
});
