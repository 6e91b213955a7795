import { expect, test } from 'vitest';
import type { Activity } from '../../src/lib/journal/activity.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { activitySince } from '../../src/lib/session/device-activity.ts';

const DAY_MS = 24 * 60 * 60_000;

function journalOf(activity: Activity): Journal {
  return { activityOf: () => Promise.resolve(activity) } as unknown as Journal;
}

test('what a device did since a day is told the newest first, and what nobody sees is not', async () => {
  const journal = journalOf({
    device: 'd',
    deeds: [
      { seq: 3, kind: 'rename', name: 'a', newName: 'b' },
      { seq: 6, kind: 'purge', name: 'b' },
      { seq: 7, kind: 'snapshot' },
      { seq: 8, kind: 'file-add', newName: 'c', atMs: 9 * DAY_MS },
    ],
    heard: [
      { seq: 4, atMs: 5 * DAY_MS },
      { seq: 9, atMs: 9 * DAY_MS },
    ],
  });
  expect(await activitySince(journal, { device: 'd', sinceMs: 6 * DAY_MS })).toEqual({
    since: 5,
    deeds: [
      { kind: 'added', newName: 'c', atMs: 9 * DAY_MS },
      { kind: 'deleted', name: 'b' },
    ],
    count: 2,
  });
});

test('of very many, the newest are told, and how many there are', async () => {
  const deeds = Array.from({ length: 500 }, (_, seq) => ({ seq, kind: 'move' as const, name: String(seq) }));
  const { deeds: told, count } = await activitySince(journalOf({ device: 'd', deeds, heard: [] }), {
    device: 'd',
    sinceMs: 0,
  });
  expect([told.length, told[0]?.name, count]).toEqual([200, '499', 500]);
});
