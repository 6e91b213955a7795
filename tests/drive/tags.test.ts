import { expect, test } from 'vitest';
import { tagsOf } from '../../src/lib/drive/tags.ts';
import { FAVOURITE, type Operation } from '../../src/lib/journal/entries/operations.ts';
import { fold } from '../../src/lib/journal/state/fold.ts';
import { fileAdd, idOf } from '../journal/world.ts';

const file = (number: number) => idOf('file', number);
const tag = (number: number, ...tags: string[]): Operation => ({ kind: 'tag', entry: file(number), tags });

test('the tags that all have, and others by how often they are used', () => {
  const operations = [
    ...[1, 2, 3, 4].map((number) => fileAdd(number)),
    tag(1, 'tax', 'home', FAVOURITE),
    tag(2, 'tax', 'work'),
    tag(3, 'work', 'art'),
    tag(4, 'gone', 'gone too'),
    { kind: 'purge', entry: file(4) } as const,
  ];
  const prevHash = new Uint8Array(32);
  const state = fold([{ seq: 1, prevHash, writer: 'd', operations, malformed: 0 }]);
  expect(tagsOf(state, [file(1), file(2)])).toEqual({ tags: ['tax'], others: ['work', 'art', 'home'] });
  expect(tagsOf(state, [file(1)])).toEqual({ tags: ['home', 'tax'], others: ['work', 'art'] });
  expect(tagsOf(state, [])).toEqual({ tags: [], others: ['tax', 'work', 'art', 'home'] });
});
