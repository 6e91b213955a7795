import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/lib/bytes.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Database } from '../../src/lib/store/database.ts';
import { fileAdd, idOf, openJournal } from '../journal/world.ts';
import { A, ChangingWorld, rename, sync } from './changing-world.ts';

let here: ChangingWorld;

beforeEach(async () => {
  here = await ChangingWorld.begin();
});
afterEach(() => here.end());

/** A database that dies at its n-th write, as a tab does. */
function dyingAt(count: number): { database: Database; writes: () => number } {
  let writes = 0;
  const dying = new Proxy(here.database, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const isWrite = property === 'add' || (property === 'transaction' && args[1] === 'readwrite');
        if (isWrite && ++writes > count) throw new TabDied();
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { database: dying, writes: () => writes };
}

class TabDied extends Error {}

/** Runs until the tab dies or the broker falls silent. @returns whether the change was acknowledged */
async function tryUntilDeath(on: Database): Promise<boolean> {
  let isAcknowledged = false;
  try {
    const tab = await here.openTab(on);
    await rename(tab.changes, A, 'mine');
    isAcknowledged = true;
    await sync(tab);
  } catch (error) {
    if (!(error instanceof TabDied) && !(error instanceof HalfkeyError)) throw error;
  }
  return isAcknowledged;
}

describe('exactly once', () => {
  /**
   * Each write that the tab may die at, with each request from which on nothing is heard, before or behind its effect.
   */
  const MOMENTS = [0, 1, 2, 3, 4].flatMap((write) =>
    [0, 1, 2, 3, Number.POSITIVE_INFINITY].flatMap((request) =>
      (['before', 'after'] as const).map((when) => ({ write, request, when })),
    ),
  );

  async function dieAt({ write, request, when }: (typeof MOMENTS)[number]): Promise<boolean> {
    let requests = -1; // The first read opens the journal.
    here.world.remote.faultOf = () =>
      requests++ >= request ? (requests > request + 1 ? 'before' : when) : undefined;
    const isAcknowledged = await tryUntilDeath(dyingAt(write).database);
    here.online();
    return isAcknowledged;
  }

  test.each(MOMENTS)(
    'a change lands: dying at write $write, silent $when request $request',
    async (moment) => {
      await (await here.openTab()).journal.flush();
      const isAcknowledged = await dieAt(moment);
      const before = here.world.remote.log.length;
      await sync(await here.openTab());
      await sync(await here.openTab());
      expect(await here.written()).toEqual(isAcknowledged ? ['mine'] : []);
      expect(here.world.remote.log.length - before).toBeLessThanOrEqual(1);
      expect(await here.dropped()).toEqual([]);
    },
  );

  test.each(MOMENTS)(
    'and never over a newer one: dying at write $write, silent $when request $request',
    async (moment) => {
      await (await here.openTab()).journal.flush();
      const isAcknowledged = await dieAt(moment);
      const hasLanded = (await here.written()).includes('mine');
      // Back to the very name that the change began from: its name alone tells nothing.
      await here.renameElsewhere(A, 'newer');
      if (hasLanded) await here.renameElsewhere(A, 'a');
      await sync(await here.openTab());
      expect(await here.finalName(A)).toBe(hasLanded ? 'a' : 'newer');
      expect(await here.dropped()).toEqual(isAcknowledged && !hasLanded ? ['mine: head_changed'] : []);
      expect(await here.count()).toBe(0);
    },
  );

  test('although a request arrives after the next one was sent', async () => {
    const append = here.world.remote.append.bind(here.world.remote);
    const first = await here.openTab();
    await rename(first.changes, A, 'mine');
    let held: Bytes | undefined;
    here.world.remote.append = (segment) => {
      held = segment;
      return Promise.reject(new TabDied());
    };
    await expect(first.changes.flush()).rejects.toBeInstanceOf(TabDied);
    const sent: Bytes[] = [];
    here.world.remote.append = async (segment) => {
      if (held && sent.length === 0) await append(held);
      sent.push(segment);
      return append(segment);
    };
    const second = await here.openTab();
    await sync(second);
    expect(sent).toHaveLength(1);
    expect(here.world.remote.log).toContainEqual(held);
    expect(await here.written()).toEqual(['mine']);
  });

  test('although two tabs send at the same time', async () => {
    const files = Array.from({ length: 30 }, (_, index) => index + 10);
    const journal = await openJournal(here.world, here.other);
    await journal.append(() => files.map((file) => fileAdd(file)));
    const [one, two] = [await here.openTab(), await here.openTab()];
    for (const [index, file] of files.entries()) {
      await rename((index % 2 === 0 ? one : two).changes, idOf('file', file), `renamed ${String(file)}`);
    }
    await Promise.all([sync(one), sync(two), sync(one), two.changes.heartbeat(), sync(two)]);
    expect((await here.written()).sort()).toEqual(files.map((file) => `renamed ${String(file)}`).sort());
    await one.changes.reload();
    expect([one.changes.pendingCount, two.changes.pendingCount]).toEqual([0, 0]);
  });

  test('more than a segment takes: in several', async () => {
    const files = Array.from({ length: 520 }, (_, index) => index + 10);
    await (await openJournal(here.world, here.other)).append(() => files.map((file) => fileAdd(file)));
    const tab = await here.openTab();
    for (const file of files) await rename(tab.changes, idOf('file', file), `renamed ${String(file)}`);
    const before = here.world.remote.log.length;
    await sync(tab);
    expect(here.world.remote.log.length - before).toBe(3);
    expect(await here.written()).toHaveLength(520);
  });
});
