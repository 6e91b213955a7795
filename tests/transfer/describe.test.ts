import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/lib/bytes.ts';
import { acceptableName, normalName } from '../../src/lib/journal/entries/names.ts';

describe('the name of a picked file', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['Ärger & “Mühe” 🗝️.txt', 'Ärger & “Mühe” 🗝️.txt'],
    ['a/b\u0000c\nd.txt', 'a_b_c_d.txt'],
    ['', 'file'],
    ['..', 'file..'],
    ['\ud800.txt', '\ufffd.txt'],
  ])('%j is kept, or becomes the nearest: %j', (given, kept) => {
    expect(acceptableName(given)).toBe(kept);
  });

  it('loses the end of its stem when it is too long, never its extension', () => {
    const name = acceptableName(`${'ü'.repeat(300)}.tar.gz`);
    expect(utf8(name).length).toBeLessThanOrEqual(255);
    expect(name.endsWith('.gz')).toBe(true);
  });

  it('is one that the journal takes, for any text', () => {
    const taken = (text: string) => normalName(acceptableName(text)) !== undefined;
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), taken), { seed: 11, numRuns: 2000 });
  });
});
