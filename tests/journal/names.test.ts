import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  freeName,
  MAX_NAME_BYTES,
  normalName,
  searchKey,
  sortKey,
  toName,
} from '../../src/lib/journal/entries/names.ts';
import { utf8 } from '../../src/lib/bytes.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { idOf } from './world.ts';

test.each([
  ['a.txt', 'a.txt'],
  [' ', ' '],
  ['...', '...'],
  ['a\\b', 'a\\b'],
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['\u202egpj.exe', '\u202egpj.exe'],
  ['A\u030angstro\u0308m', '\u00c5ngstr\u00f6m'],
  ['🗝️', '🗝️'],
  ['x'.repeat(255), 'x'.repeat(255)],
  ['é'.repeat(127), 'é'.repeat(127)],
])('takes the name %j', (text, name) => {
  expect(normalName(text)).toBe(name);
});

test.each([
  '',
  '.',
  '..',
  'a/b',
  '/',
  'a\0b',
  'a\nb',
  '\u007f',
  '\u0085',
  '\ud800',
  'x'.repeat(256),
  'é'.repeat(128),
  '🗝'.repeat(16_384),
])('refuses the name %j', async (text) => {
  expect(normalName(text)).toBeUndefined();
  expect(await refusalCode(Promise.resolve().then(() => toName(text)))).toBe('name_malformed');
});

test.each([
  ['a.txt', ['a.txt'], 'a (2).txt'],
  ['a.txt', ['a.txt', 'a (2).txt', 'a (3).txt'], 'a (4).txt'],
  ['a (2).txt', ['a (2).txt'], 'a (2) (2).txt'],
  ['archive.tar.gz', ['archive.tar.gz'], 'archive.tar (2).gz'],
  ['.profile', ['.profile'], '.profile (2)'],
  ['Ann. 3 of what was said', ['Ann. 3 of what was said'], 'Ann. 3 of what was said (2)'],
  ['A.txt', ['a.txt'], 'A.txt'],
])('gives %j the next free name where %j are taken', (name, taken, free) => {
  expect(freeName(name, idOf('file', 1), (candidate) => taken.includes(candidate))).toBe(free);
});

test('takes the id when all numbers are taken, and gives up when that is taken too', () => {
  const id = idOf('file', 1);
  const numbered = new Set(['a', ...Array.from({ length: 98 }, (_, index) => `a (${String(index + 2)})`)]);
  expect(freeName('a', id, (name) => numbered.has(name))).toBe(`a (${id})`);
  expect(freeName('a', id, () => true)).toBeUndefined();
});

test('every free name is a name, whatever it is made of', () => {
  const anyName = fc
    .oneof(fc.string({ unit: 'binary', maxLength: 90 }), fc.string({ unit: 'grapheme', maxLength: 90 }))
    .map(normalName)
    .filter((name) => name !== undefined);
  fc.assert(
    fc.property(anyName, fc.integer({ min: 0, max: 3 }), (name, taken) => {
      let asked = 0;
      const free = freeName(name, idOf('file', 1), () => asked++ < taken);
      expect(free === undefined ? undefined : normalName(free)).toBe(free);
      expect(utf8(free ?? '').length).toBeLessThanOrEqual(MAX_NAME_BYTES);
    }),
    { seed: 7, numRuns: 500 },
  );
});

test('searches without case and marks, and sorts numbers by their value', () => {
  expect(searchKey('ÄRGER Étude')).toBe('arger etude');
  const sorted = ['a10', 'a9', 'a010b', 'a2', 'b', 'a'].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  expect(sorted).toEqual(['a', 'a2', 'a9', 'a10', 'a010b', 'b']);
});
