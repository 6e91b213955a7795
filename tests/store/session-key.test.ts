import { describe, expect, it } from 'vitest';
import { ONLY, type Database, type StoredSessionKey } from '../../src/lib/store/database.ts';
import { readSessionKey, saveSessionKey } from '../../src/lib/store/session-key.ts';
import { useDatabase } from './use-database.ts';

let database: Database;

useDatabase('session', (opened) => {
  database = opened;
});

async function newKey(isExtractable = false): Promise<StoredSessionKey> {
  const pair = await crypto.subtle.generateKey('Ed25519', isExtractable, ['sign', 'verify']);
  return { sid: 's'.repeat(22), publicKey: pair.publicKey, privateKey: pair.privateKey };
}

describe('the session’s key', () => {
  it('is none where nobody has signed in', async () => {
    expect(await readSessionKey(database)).toBeUndefined();
  });

  it('rests as it was made, and the one of the next session takes its place', async () => {
    for (const sid of ['a'.repeat(22), 'b'.repeat(22)]) {
      await saveSessionKey(database, { ...(await newKey()), sid });
      const found = await readSessionKey(database);
      expect(found?.sid).toBe(sid);
      await expect(crypto.subtle.exportKey('pkcs8', found!.privateKey)).rejects.toThrow();
    }
  });

  it.each<[string, () => Promise<unknown>]>([
    ['one that could be copied', () => newKey(true)],
    ['one of no session', async () => ({ ...(await newKey()), sid: 'x' })],
    ['two halves of which one is missing', async () => ({ ...(await newKey()), privateKey: undefined })],
    ['a text', () => Promise.resolve('key')],
  ])('is none where %s rests', async (_what, make) => {
    await database.put('session', (await make()) as never, ONLY);
    expect(await readSessionKey(database)).toBeUndefined();
  });
});
