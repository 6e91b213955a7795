import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { fileAdd, openJournal } from '../journal/world.ts';
import { A, B, ChangingWorld, sync } from './changing-world.ts';

let here: ChangingWorld;

beforeEach(async () => {
  here = await ChangingWorld.begin();
});
afterEach(() => here.end());

describe('a change that is given up', () => {
  test('is told, although those that were sent beside it landed unheard', async () => {
    const tab = await here.openTab();
    await tab.changes.rename(A, 'x');
    await tab.changes.rename(B, 'y');
    await here.renameElsewhere(A, 'newer');
    await tab.journal.refresh();
    here.deaf();
    await expect(tab.changes.flush()).rejects.toBeInstanceOf(HalfkeyError);
    here.online();
    await sync(await here.openTab());
    expect(here.dropped).toEqual(['x: head_changed']);
    expect(await here.written()).toEqual(['newer', 'y']);
    expect(await here.count()).toBe(0);
  });

  test('takes along what was built upon it: nothing of it goes over what others wrote', async () => {
    const tab = await here.openTab();
    await tab.changes.rename(A, 'x');
    here.offline();
    await expect(tab.changes.flush()).rejects.toBeInstanceOf(HalfkeyError);
    await tab.changes.rename(A, 'y');
    here.online();
    await here.renameElsewhere(A, 'newer');
    await sync(tab);
    expect(await here.finalName(A)).toBe('newer');
    expect(here.dropped).toEqual(['x: head_changed', 'y: head_changed']);
    expect(await here.count()).toBe(0);
  });
});

describe('a change that has landed', () => {
  test('by another tab stays to be seen, and the next one goes on from there', async () => {
    const [one, two] = [await here.openTab(), await here.openTab()];
    await one.changes.rename(A, 'x');
    await two.changes.reload();
    await sync(one);
    here.offline();
    await two.changes.reload();
    expect(two.changes.names).toEqual(new Map([[A, 'x']]));
    await two.changes.rename(A, 'y');
    here.online();
    await sync(two);
    expect(await here.finalName(A)).toBe('y');
    expect(here.dropped).toEqual([]);
    expect(two.changes.names.size).toBe(0);
  });

  test('is what a tab begins with that starts without the network, in a large vault too', async () => {
    const many = Array.from({ length: 2001 }, (_, index) => fileAdd(index + 10));
    await (await openJournal(here.world, here.other)).append(() => many);
    const tab = await here.openTab();
    await tab.journal.flush();
    await tab.changes.rename(A, 'x');
    await sync(tab);
    here.offline();
    const later = await here.openTab();
    expect(later.journal.state.entry(A)?.name).toBe('x');
    await later.changes.rename(A, 'y');
    here.online();
    await sync(later);
    expect(await here.finalName(A)).toBe('y');
    expect(here.dropped).toEqual([]);
  });
});
