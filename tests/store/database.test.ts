import 'fake-indexeddb/auto';
import { deleteDB, openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DATABASE, hasDatabase, ONLY, openDatabase, writing } from '../../src/lib/store/database.ts';
import { refusalCode } from '../crypto/refusal.ts';

beforeEach(() => deleteDB(DATABASE));
afterEach(() => {
  vi.restoreAllMocks();
});

describe('the database', () => {
  it('is there once it was opened, and asking makes none', async () => {
    expect(await hasDatabase()).toBe(false);
    expect(await hasDatabase()).toBe(false);
    (await openDatabase(() => undefined)).close();
    expect(await hasDatabase()).toBe(true);
  });

  it('keeps what an earlier build has written, and gets the stores that it had not', async () => {
    const earlier = await openDB(DATABASE, 1, {
      upgrade(database) {
        for (const store of ['device', 'account', 'events', 'journal']) database.createObjectStore(store);
      },
    });
    await earlier.put('journal', new Uint8Array([7]), ONLY);
    earlier.close();
    const database = await openDatabase(() => undefined);
    expect(await database.get('journal', ONLY)).toEqual(new Uint8Array([7]));
    expect([...database.objectStoreNames].sort()).toEqual(
      [
        ...['account', 'attempts', 'changes', 'device', 'events', 'journal', 'kept', 'parts', 'settings'],
        ...['session', 'uploads'],
      ].sort(),
    );
    database.close();
  });

  it('lets go when another tab removes it, and says so', async () => {
    let taken = 0;
    const database = await openDatabase(() => (taken += 1));
    await deleteDB(DATABASE);
    expect(taken).toBe(1);
    expect(await refusalCode(writing(() => database.put('journal', new Uint8Array(1), ONLY)))).toBe(
      'device_state_lost',
    );
  });

  it('that does not open is what the browser lacks', async () => {
    vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('private mode', 'SecurityError');
    });
    await expect(openDatabase(() => undefined)).rejects.toMatchObject({
      code: 'browser_lacks',
      detail: { feature: 'IndexedDB' },
    });
  });
});

describe('a write', () => {
  it.each([
    ['QuotaExceededError', 'device_full'],
    ['InvalidStateError', 'device_state_lost'],
  ])('that ends in %s is told as %s', async (name, code) => {
    expect(await refusalCode(writing(() => Promise.reject(new DOMException('x', name))))).toBe(code);
  });

  it('that ends otherwise says so itself, and one that goes well gives what it gives', async () => {
    for (const error of [new DOMException('x', 'DataError'), new TypeError('x')]) {
      await expect(writing(() => Promise.reject(error))).rejects.toBe(error);
    }
    expect(await writing(() => Promise.resolve(7))).toBe(7);
  });
});
