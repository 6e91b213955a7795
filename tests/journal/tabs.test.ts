import { expect, test } from 'vitest';
import { refusalCode } from '../crypto/refusal.ts';
import { MemoryCache } from './memory-remote.ts';
import { fileAdd, newWorld, openJournal } from './world.ts';

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
