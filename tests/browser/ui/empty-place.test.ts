import { expect, test } from 'vitest';
import EmptyPlace from '../../../src/lib/ui/drive/EmptyPlace.svelte';
import { mounts, seen } from './mounted.svelte.ts';

const says = (arriving: { count: number; isMoving: boolean }) =>
  seen(
    mounts(EmptyPlace, {
      ...{ place: 'folder' as const, search: '', arriving },
      ...{ onchoose: () => undefined, onclearsearch: () => undefined },
    }),
  );

test('an empty drive says so, and how to change that', () => {
  expect(says({ count: 0, isMoving: false })).toContain('Nothing in here yet.');
});

test.each([
  [{ count: 1, isMoving: false }, 'Your first file is waiting.'],
  [{ count: 2, isMoving: false }, 'Your first 2 files are waiting.'],
  [{ count: 1, isMoving: true }, 'Your first file is on the way.'],
])('a drive whose first files wait does not say that nothing is in it: %j', (arriving, words) => {
  expect(says(arriving)).toContain(words);
  expect(says(arriving)).not.toContain('Nothing in here yet');
});
