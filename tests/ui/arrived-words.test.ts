import { expect, it } from 'vitest';
import { arrivedWords } from '../../src/lib/ui/arrived-words.ts';

it.each([
  ['nobody', 1, 'Nobody is signed in on this device. Sign in to add 1 file.'],
  ['closed', 3, 'Enter your passphrase to add 3 files.'],
  ['elsewhere', 3, 'Go back to your drive to add 3 files.'],
  ['nobody', 0, undefined],
] as const)('says of files that came with %s at home (%i) what to do', (home, count, words) => {
  expect(arrivedWords({ count, isLost: false }, home)).toBe(words);
});

it('says that something was lost', () => {
  expect(arrivedWords({ count: 0, isLost: true }, 'nobody')).toMatch(/didn’t arrive/);
});
