import { expect, it } from 'vitest';
import { contentWords } from '../../src/lib/ui/texts/en/frame.ts';

it.each([
  [0, 0, 0, ''],
  [2, 0, 0, '2 folders'],
  [0, 1, 690, '1 file, 690 B'],
  [2, 9, 187_000, '2 folders, 9 files, 187 kB'],
])('says of %i folders and %i files of %i bytes: %s', (folders, files, sizeBytes, words) => {
  expect(contentWords(folders, files, sizeBytes)).toBe(words);
});
