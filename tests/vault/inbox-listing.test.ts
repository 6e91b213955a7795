import { expect, it } from 'vitest';
import type { BlobId, DeviceId, VaultId } from '$contract/ids.ts';
import { listInbox, nameOf } from '../../src/lib/vault/inbox-listing.ts';
import { refusalCode } from '../crypto/refusal.ts';

const vault = 'us-east-1:00000000-0000-4000-8000-000000000000' as VaultId;
const idOf = (number: number) => String(number).padStart(22, '0');
const record = (number: number) => ({
  device: idOf(1) as DeviceId,
  blob: idOf(number) as BlobId,
  tag: '"1"',
});

interface Page {
  readonly names: readonly object[];
  readonly more: boolean;
}

/** Gives up when it is asked for more than it was meant to say. */
function answering(pageOf: (asked: number, after: string) => Page) {
  const asked: string[] = [];
  const call = (_route: unknown, { after }: { after: string }) => {
    asked.push(after);
    if (asked.length > 1000) throw new Error('asked without end');
    return Promise.resolve(pageOf(asked.length, after));
  };
  const list = () => listInbox({ broker: { call }, vault }, new AbortController().signal);
  return { asked, list };
}

it('reads page after page to the end', async () => {
  const { asked, list } = answering((page) => ({
    names: [record(2 * page), record(2 * page + 1)],
    more: page < 3,
  }));
  expect((await list()).map(nameOf)).toEqual([2, 3, 4, 5, 6, 7].map((number) => nameOf(record(number))));
  expect(asked).toEqual(['', nameOf(record(3)), nameOf(record(5))]);
});

it.each<[string, (asked: number) => Page]>([
  ['says the same page again and again', () => ({ names: [record(1), record(2)], more: true })],
  ['goes back', (asked) => ({ names: [record(1000 - asked)], more: true })],
  ['has a name twice', () => ({ names: [record(1), record(1)], more: false })],
  [
    'never ends',
    (asked) => ({
      names: Array.from({ length: 1000 }, (_, index) => record(1000 * asked + index)),
      more: true,
    }),
  ],
])('refuses a listing that %s', async (_, pageOf) => {
  expect(await refusalCode(answering(pageOf).list())).toBe('broker_unreachable');
});

it('ends where a page that promises more has nothing', async () => {
  const { asked, list } = answering(() => ({ names: [], more: true }));
  expect(await list()).toEqual([]);
  expect(asked).toHaveLength(1);
});
