import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { savedName } from '../../src/lib/platform/saved-name.ts';

const sizeOf = (name: string) => Buffer.byteLength(name);

describe('the name that a download is announced under', () => {
  it.each(['a', `${'a'.repeat(240)}.pdf`, `${'ü'.repeat(120)}.pdf`])('is its own up to 244 bytes', (name) => {
    expect(savedName(name)).toBe(name);
  });

  it.each([
    [`${'a'.repeat(241)}.pdf`, '.pdf'],
    [`${'a'.repeat(251)}.pdf`, '.pdf'],
    [`${'a'.repeat(251)}.pdf.floe`, '.pdf.floe'],
    [`${'a'.repeat(255)}.floe`, '.floe'],
    [`${'a'.repeat(248)}.tar.gz`, '.tar.gz'],
    ['a'.repeat(255), ''],
    [`.${'a'.repeat(254)}`, ''],
    [`a.${'b'.repeat(253)}`, ''],
  ])('loses the end of its stem when it is longer, and keeps its ending: %s', (name, ending) => {
    const saved = savedName(name);
    expect(sizeOf(saved)).toBe(244);
    expect(saved.endsWith(ending)).toBe(true);
    expect(name.startsWith(saved.slice(0, saved.length - ending.length))).toBe(true);
  });

  it.each([
    ['holiday\u202Egpj.exe', 'holidaygpj.exe'],
    ['\u2066a\u200B.txt\u2069', 'a.txt'],
    ['a\u0000b\nc.txt', 'abc.txt'],
    ['👩\u200D🚀.png', '👩\u200D🚀.png'],
    ['\u200B', '_'],
  ])('says nothing that is not seen: %j', (name, saved) => {
    expect(savedName(name)).toBe(saved);
  });

  it('never cuts a character in two', () => {
    expect(savedName(`${'🗝'.repeat(62)}.pdf`)).toBe(`${'🗝'.repeat(60)}.pdf`);
  });

  it('is one that every file system takes, for any name', () => {
    const fits = (name: string) => sizeOf(savedName(name)) <= 244 && savedName(name) !== '';
    const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 });
    fc.assert(fc.property(names, fits), { seed: 11, numRuns: 2000 });
  });
});
