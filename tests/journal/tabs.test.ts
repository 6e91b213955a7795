import { expect, test } from 'vitest';
import { list } from '../../src/lib/journal/state/listing.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { MemoryCache } from './memory-remote.ts';
import { fileAdd, newWorld, openJournal } from './world.ts';

const ALL = { filter: '', sortBy: 'name', descending: false } as const;

/** Two tabs of one device: the same keys, the same local copy. */
async function twoTabs() {
  const world = await newWorld();
  const cache = new MemoryCache();
  const first = await openJournal(world, world.first, { cache });
  await first.flush();
  const second = await openJournal(world, world.first, { cache });
  return { world, cache, first, second };
}

test('a tab that lags behind does not overwrite what another tab of its device has seen', async () => {
  const { world, cache, first, second } = await twoTabs();
  await first.append(() => [fileAdd(1)]);
  await second.refresh();
  await first.append(() => [fileAdd(2)]);
  await first.flush();
  await second.flush();
  const later = await openJournal(world, world.first, { cache });
  expect(later.head).toEqual(first.head);
  expect(second.head.seq).toBe(first.head.seq - 1);
  await second.refresh();
  expect(second.head).toEqual(first.head);
  expect(second.problem).toBeUndefined();
});

test('a tab is not shown less than another tab of its device has seen', async () => {
  const { world, first, cache } = await twoTabs();
  await first.append(() => [fileAdd(1)]);
  const older = world.remote.fork();
  const second = await openJournal(world, world.first, { cache, remote: older });
  await first.append(() => [fileAdd(2)]);
  await first.flush();
  await second.refresh();
  await second.flush();
  expect(await refusalCode(second.refresh())).toBe('rollback');
  expect(await refusalCode(second.append(() => [fileAdd(3)]))).toBe('rollback');
});

test('two tabs that are shown two histories find out by their one local copy', async () => {
  const { world, first, cache } = await twoTabs();
  const forked = world.remote.fork();
  const second = await openJournal(world, world.first, { cache, remote: forked });
  await first.append(() => [fileAdd(1)]);
  await first.flush();
  await second.append(() => [fileAdd(2)]);
  await second.flush();
  expect(await refusalCode(second.refresh())).toBe('fork');
});

test('a local copy that does not open gives way', async () => {
  const { world, cache, first } = await twoTabs();
  cache.record = new Uint8Array(200);
  await first.append(() => [fileAdd(1)]);
  await first.flush();
  expect((await openJournal(world, world.first, { cache })).head).toEqual(first.head);
});

test('two tabs of one device append side by side, and nothing is lost or written twice', async () => {
  const { world, first, second } = await twoTabs();
  let request = 0;
  world.remote.turnsOf = () => (request * 7) % 5;
  world.remote.faultOf = () => (++request % 11 === 0 ? 'after' : undefined);
  const numbers = Array.from({ length: 40 }, (_, number) => number);
  await Promise.all(
    numbers.map((number) => (number % 2 === 0 ? first : second).append(() => [fileAdd(number)])),
  );
  world.remote.faultOf = () => undefined;
  await Promise.all([first.refresh(), second.refresh()]);
  expect(first.head).toEqual(second.head);
  expect(first.head.seq).toBe(numbers.length);
  expect(list(first.state, ALL).total).toBe(numbers.length);
  expect(first.state.skippedOperations).toBe(0);
});
