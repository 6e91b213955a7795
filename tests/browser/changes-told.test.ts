import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { fileAdd, idOf, openJournal } from '../journal/world.ts';
import { A, B, ChangingWorld, pendingNames, rename, sync } from './changing-world.ts';

let here: ChangingWorld;

beforeEach(async () => {
  here = await ChangingWorld.begin();
});
afterEach(() => here.end());

describe('a change that is given up', () => {
  test('is told, although those that were sent beside it landed unheard', async () => {
    const tab = await here.openTab();
    await rename(tab.changes, A, 'x');
    await rename(tab.changes, B, 'y');
    await here.renameElsewhere(A, 'newer');
    await tab.journal.refresh();
    here.deaf();
    await expect(tab.changes.flush()).rejects.toBeInstanceOf(HalfkeyError);
    here.online();
    await sync(await here.openTab());
    expect(await here.dropped()).toEqual(['x: head_changed']);
    expect(await here.written()).toEqual(['newer', 'y']);
    expect(await here.count()).toBe(0);
  });

  test('takes along what was built upon it: nothing of it goes over what others wrote', async () => {
    const tab = await here.openTab();
    await rename(tab.changes, A, 'x');
    here.offline();
    await expect(tab.changes.flush()).rejects.toBeInstanceOf(HalfkeyError);
    await rename(tab.changes, A, 'y');
    here.online();
    await here.renameElsewhere(A, 'newer');
    await sync(tab);
    expect(await here.finalName(A)).toBe('newer');
    expect(await here.dropped()).toEqual(['x: head_changed', 'y: head_changed']);
    expect(await here.count()).toBe(0);
  });
});

describe('a change that has landed', () => {
  test('by another tab stays to be seen, and the next one goes on from there', async () => {
    const [one, two] = [await here.openTab(), await here.openTab()];
    await rename(one.changes, A, 'x');
    await two.changes.reload();
    await sync(one);
    here.offline();
    await two.changes.reload();
    expect(pendingNames(two.changes)).toEqual(new Map([[A, 'x']]));
    await rename(two.changes, A, 'y');
    here.online();
    await sync(two);
    expect(await here.finalName(A)).toBe('y');
    expect(await here.dropped()).toEqual([]);
    expect(two.changes.pendingCount).toBe(0);
  });

  test('is what a tab begins with that starts without the network, in a large vault too', async () => {
    const many = Array.from({ length: 2001 }, (_, index) => fileAdd(index + 10));
    await (await openJournal(here.world, here.other)).append(() => many);
    const tab = await here.openTab();
    await tab.journal.flush();
    await rename(tab.changes, A, 'x');
    await sync(tab);
    here.offline();
    const later = await here.openTab();
    expect(later.journal.state.entry(A)?.name).toBe('x');
    await rename(later.changes, A, 'y');
    here.online();
    await sync(later);
    expect(await here.finalName(A)).toBe('y');
    expect(await here.dropped()).toEqual([]);
  });
});

describe('a tab that is behind the others of its device', () => {
  test('gives up no change of a file that it has not heard of', async () => {
    const [one, two] = [await here.openTab(), await here.openTab()];
    await one.journal.append(() => [fileAdd(3, 'c')]);
    await rename(one.changes, idOf('file', 3), 'x');
    await two.changes.reload();
    await two.changes.flush();
    expect(await here.dropped()).toEqual([]);
    expect(await here.finalName(idOf('file', 3))).toBe('x');
    expect(await here.count()).toBe(0);
  });

  test('gives up no change that goes on from a name which it has not heard of', async () => {
    const [one, two] = [await here.openTab(), await here.openTab()];
    await rename(one.changes, A, 'x');
    await one.changes.flush();
    await rename(one.changes, A, 'y');
    await two.changes.reload();
    await two.changes.flush();
    expect(await here.dropped()).toEqual([]);
    expect(await here.finalName(A)).toBe('y');
    expect(await here.written()).toEqual(['x', 'y']);
  });

  test('goes on from a name that another one has given meanwhile: the later counts', async () => {
    const [one, two] = [await here.openTab(), await here.openTab()];
    await rename(one.changes, A, 'x');
    await sync(one);
    await rename(two.changes, A, 'y');
    await two.changes.flush();
    expect(await here.dropped()).toEqual([]);
    expect(await here.finalName(A)).toBe('y');
    expect(await here.written()).toEqual(['x', 'y']);
  });

  test('gives way to another device that was there in between', async () => {
    const [one, two] = [await here.openTab(), await here.openTab()];
    await rename(one.changes, A, 'x');
    await sync(one);
    await here.renameElsewhere(A, 'newer');
    await rename(two.changes, A, 'y');
    await two.changes.flush();
    expect(await here.dropped()).toEqual(['y: head_changed']);
    expect(await here.finalName(A)).toBe('newer');
  });

  test('gives nothing up before it has heard', async () => {
    const [one, two] = [await here.openTab(), await here.openTab()];
    await one.journal.append(() => [fileAdd(3, 'c')]);
    await rename(one.changes, idOf('file', 3), 'x');
    await two.changes.reload();
    here.offline();
    await expect(two.changes.flush()).rejects.toBeInstanceOf(HalfkeyError);
    expect(await here.dropped()).toEqual([]);
    here.online();
    await two.changes.flush();
    expect(await here.finalName(idOf('file', 3))).toBe('x');
  });
});
