import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/lib/bytes.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { idOf, openJournal } from '../journal/world.ts';
import { A, B, ChangingWorld, pendingNames, rename, renameAnyway, sync } from './changing-world.ts';

let here: ChangingWorld;

beforeEach(async () => {
  here = await ChangingWorld.begin();
});
afterEach(() => here.end());

describe('a change without the network', () => {
  test('shows at once, survives the tab, and goes into the journal once the network is back', async () => {
    const { journal, changes } = await here.openTab();
    here.offline();
    await rename(changes, A, 'renamed.txt');
    expect(pendingNames(changes)).toEqual(new Map([[A, 'renamed.txt']]));
    expect(await refusalCode(changes.flush())).toBe('broker_unreachable');
    expect(journal.state.entry(A)?.name).toBe('a');

    const later = await here.openTab();
    expect(pendingNames(later.changes)).toEqual(new Map([[A, 'renamed.txt']]));
    here.online();
    await sync(later);
    expect(later.changes.pendingCount).toBe(0);
    expect(later.journal.state.entry(A)?.name).toBe('renamed.txt');
    expect(await here.written()).toEqual(['renamed.txt']);
    expect(await here.count()).toBe(0);
    expect(await here.dropped()).toEqual([]);
  });

  test('rests sealed: no name of it in clear', async () => {
    const { changes } = await here.openTab();
    await rename(changes, A, 'tax-return-of-ada.pdf');
    const [record] = await here.database.getAll('changes');
    expect(toHex(record!)).not.toContain(toHex(utf8('tax-return')));
    expect(new TextDecoder('latin1').decode(record)).not.toContain(A);
  });

  test('is refused before it is written down, where it can never be done', async () => {
    const { changes } = await here.openTab();
    for (const name of ['', '.', '..', 'a/b', 'a\u0000b', 'x'.repeat(256)]) {
      expect(await refusalCode(rename(changes, A, name))).toBe('name_malformed');
    }
    expect(await refusalCode(rename(changes, idOf('file', 9), 'x'))).toBe('not_found');
    await rename(changes, A, 'a');
    expect(await here.count()).toBe(0);
  });

  test('is refused when the journal is read-only', async () => {
    const { journal, changes } = await here.openTab();
    here.world.remote.toldHead = { seq: 0, hash: new Uint8Array(32) };
    expect(await refusalCode(journal.refresh())).toBe('rollback');
    expect(await refusalCode(rename(changes, A, 'x'))).toBe('rollback');
  });

  test('of a name that is taken gets the next free one, and what was renamed again goes on from there', async () => {
    const tab = await here.openTab();
    await renameAnyway(tab.changes, A, 'b');
    await sync(tab);
    expect(await here.finalName(A)).toBe('b (2)');

    await renameAnyway(tab.changes, B, 'b (2)');
    here.deaf();
    await expect(sync(tab)).rejects.toBeInstanceOf(HalfkeyError);
    await expect(tab.changes.flush()).rejects.toBeInstanceOf(HalfkeyError);
    await rename(tab.changes, B, 'c');
    here.online();
    await sync(tab);
    expect(await here.finalName(B)).toBe('c');
    expect(await here.dropped()).toEqual([]);
  });

  test('several of one file come in their order', async () => {
    const tab = await here.openTab();
    for (const name of ['x', 'y', 'z']) await rename(tab.changes, A, name);
    expect(pendingNames(tab.changes).get(A)).toBe('z');
    await sync(tab);
    expect(await here.finalName(A)).toBe('z');
    expect(await here.dropped()).toEqual([]);
  });
});

describe('what others did meanwhile', () => {
  test.each([
    ['deleted for good', () => purgeElsewhere(A), undefined, ['x: not_found']],
    ['renamed', () => here.renameElsewhere(A, 'newer'), 'newer', ['x: head_changed']],
    ['renamed to the same', () => here.renameElsewhere(A, 'x'), 'x', []],
    ['nothing to it', () => here.renameElsewhere(B, 'newer'), 'x', []],
  ])('stands: %s', async (_name, elsewhere, name, notices) => {
    const tab = await here.openTab();
    await rename(tab.changes, A, 'x');
    await elsewhere();
    await sync(tab);
    expect(await here.finalName(A)).toBe(name);
    expect(await here.dropped()).toEqual(notices);
    expect(tab.changes.pendingCount).toBe(0);
  });

  async function purgeElsewhere(entry: string): Promise<void> {
    await (await openJournal(here.world, here.other)).append(() => [{ kind: 'purge', entry }]);
  }
});

describe('a record that does not open', () => {
  test('is given up, once, and the others go on', async () => {
    const tab = await here.openTab();
    await rename(tab.changes, A, 'x');
    await rename(tab.changes, B, 'y');
    const [key] = await here.database.getAllKeys('changes');
    const record = (await here.database.get('changes', key!))!;
    for (const place of [0, 50, 80, record.length - 1]) {
      const damaged = record.slice();
      damaged[place]! ^= 1;
      await here.database.put('changes', damaged, key);
      const { changes } = await here.openTab();
      expect(await here.dropped()).toEqual([': device_state_lost']);
      expect(pendingNames(changes)).toEqual(new Map([[B, 'y']]));
    }
    await here.database.put('changes', 'no bytes' as never, key);
    const later = await here.openTab();
    await sync(later);
    expect(await here.written()).toEqual(['y']);
  });
});

describe('heartbeats', () => {
  test('keep what this device said of inbox keys, when changes bring one along', async () => {
    const tab = await here.openTab();
    await tab.changes.heartbeat(0);
    await rename(tab.changes, A, 'x');
    await sync(tab);
    expect(tab.journal.state.heartbeats.get(here.world.first.id)?.inboxEpoch).toBe(0);
    await tab.changes.heartbeat();
    expect(tab.journal.state.heartbeats.get(here.world.first.id)?.inboxEpoch).toBe(0);
  });

  test('settle what was sent before: a heartbeat of later does not hide that it landed', async () => {
    const tab = await here.openTab();
    await rename(tab.changes, A, 'mine');
    here.deaf();
    await expect(tab.changes.flush()).rejects.toBeInstanceOf(HalfkeyError);
    here.online();
    await here.renameElsewhere(A, 'a');
    const later = await here.openTab();
    await later.journal.refresh();
    await later.changes.heartbeat();
    expect(await here.finalName(A)).toBe('a');
    expect(await here.written()).toEqual(['mine', 'a']);
    expect(await here.count()).toBe(0);
  });
});
