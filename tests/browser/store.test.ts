import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/lib/bytes.ts';
import { randomBytes, randomId } from '../../src/lib/crypto/random.ts';
import { sign, verify } from '../../src/lib/crypto/signing.ts';
import { readAccount, saveAccount, type AccountRecord } from '../../src/lib/store/account-record.ts';
import { DATABASE, ONLY, openDatabase, type Database } from '../../src/lib/store/database.ts';
import { createDevice, readDevice, saveDevice } from '../../src/lib/store/device-record.ts';
import { readEventHead, saveEventHead } from '../../src/lib/store/event-head.ts';
import { journalCache } from '../../src/lib/store/journal-cache.ts';
import { wipeDevice } from '../../src/lib/store/wipe.ts';
import { refusalCode } from '../crypto/refusal.ts';

const VAULT = 'eu-central-1:1b7b2ae5-3f4d-4b6e-9a67-0c8d5d7e9f10';

function makeAccount(): AccountRecord {
  return {
    account: randomId(),
    vault: VAULT,
    epoch: 0,
    accountKey: randomBytes(32),
    vaultKey: randomBytes(32),
    userName: 'ada',
    identityPublicKey: randomBytes(32),
    serverPublicKey: 'AAEC',
    keyring: { version: 1, hash: randomBytes(32) },
  };
}

let database: Database;
let taken = 0;

beforeEach(async () => {
  taken = 0;
  database = await openDatabase(() => (taken += 1));
});

afterEach(async () => {
  await wipeDevice(database);
});

describe('what rests on a device', () => {
  test('is nothing before somebody signs in', async () => {
    expect(await readDevice(database)).toBeUndefined();
    expect(await readAccount(database, await createDevice())).toBeUndefined();
    expect(await readEventHead(database)).toBeUndefined();
  });

  test('comes back after the database was closed', async () => {
    const [device, account] = [await createDevice(), makeAccount()];
    await saveDevice(database, device);
    await saveAccount(database, device, account);
    await saveEventHead(database, { seq: 7, hash: 'h' });
    database.close();
    database = await openDatabase(() => undefined);
    const found = await readDevice(database);
    expect(found?.id).toBe(device.id);
    expect(found && (await readAccount(database, found))).toEqual(account);
    expect(await readEventHead(database)).toEqual({ seq: 7, hash: 'h' });
    const message = utf8('signed after a reload');
    const signature = await sign(found!.privateKey, message);
    expect(await verify(device.publicKey, message, signature)).toBe(true);
  });

  test('holds no key of the account in clear', async () => {
    const [device, account] = [await createDevice(), makeAccount()];
    await saveAccount(database, device, account);
    const stored = await database.get('account', ONLY);
    const texts = Object.values(stored!).map((value) => (value instanceof Uint8Array ? toHex(value) : ''));
    expect(texts.join()).not.toContain(toHex(account.accountKey));
    expect(texts.join()).not.toContain(toHex(account.vaultKey));
    expect(texts.join()).not.toContain(toHex(utf8(account.userName)));
  });
  test('has keys that WebCrypto gives to nobody, before and after they rested', async () => {
    const device = await createDevice();
    await saveDevice(database, device);
    const rested = (await readDevice(database))!;
    for (const key of [device.privateKey, device.wrapKey, rested.privateKey, rested.wrapKey]) {
      expect(key.extractable).toBe(false);
      for (const format of ['raw', 'pkcs8', 'jwk'] as const) {
        await expect(crypto.subtle.exportKey(format as 'jwk', key)).rejects.toBeInstanceOf(DOMException);
      }
    }
  });
});
describe('wiping a device', () => {
  test('leaves no database, no private file and no cache but the app’s own', async () => {
    await saveDevice(database, await createDevice());
    await database.put('journal', randomBytes(1000), 'segment');
    const root = await navigator.storage.getDirectory();
    const file = await root.getFileHandle('captured', { create: true });
    const writable = await file.createWritable();
    await writable.write('ciphertext');
    await writable.close();
    await (await root.getDirectoryHandle('folder', { create: true })).getFileHandle('in', { create: true });
    await (await caches.open('previews')).put('/one', new Response('x'));
    await (await caches.open('workbox-precache-v2-app')).put('/app.html', new Response('x'));

    await wipeDevice(database);

    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(DATABASE);
    const names: string[] = [];
    for await (const name of root.keys()) names.push(name);
    expect(names).toEqual([]);
    expect(await caches.keys()).toEqual(['workbox-precache-v2-app']);
    await caches.delete('workbox-precache-v2-app');

    database = await openDatabase(() => undefined);
    expect(await readDevice(database)).toBeUndefined();
    expect(await database.count('journal')).toBe(0);
  });

  test('closes the connections of other tabs and tells them', async () => {
    const elsewhere = await openDatabase(() => undefined);
    expect(taken).toBe(0);
    await wipeDevice(elsewhere);
    expect(taken).toBe(1);
    expect(() => database.transaction('device')).toThrow();
    database = await openDatabase(() => undefined);
  });
});

describe('two tabs', () => {
  test('never put an older head of the event log over a newer one', async () => {
    await saveEventHead(database, { seq: 7, hash: 'seven' });
    await saveEventHead(database, { seq: 6, hash: 'six' });
    expect(await readEventHead(database)).toEqual({ seq: 7, hash: 'seven' });
  });

  test('begin anew where the head of the event log is none', async () => {
    for (const damaged of [{ seq: -1, hash: 'h' }, { seq: 'x', hash: 'h' }, { seq: 3 }, 'x']) {
      await database.put('events', damaged as never, ONLY);
      expect(await readEventHead(database)).toBeUndefined();
    }
    await saveEventHead(database, { seq: 1, hash: 'one' });
    expect(await readEventHead(database)).toEqual({ seq: 1, hash: 'one' });
  });

  test('ask of the copy that is there before they replace it, one after the other', async () => {
    const tabs = [journalCache(database, VAULT), journalCache(database, VAULT)];
    const asked: number[] = [];
    const save = (value: number) =>
      tabs[value % 2]!.save(Uint8Array.of(value), async ([stored = 0]) => {
        asked.push(stored);
        await new Promise((resolve) => setTimeout(resolve)); // As opening a seal does: no transaction would wait for it.
        return stored < value;
      });
    await Promise.all([3, 5, 4, 6, 1].map(save));
    expect(asked).toEqual([3, 5, 5, 6]);
    expect(await tabs[0]!.load()).toEqual(Uint8Array.of(6));
  });

  test('learn that the device was wiped, when they save', async () => {
    const cache = journalCache(database, VAULT);
    await wipeDevice(database);
    expect(await refusalCode(cache.save(Uint8Array.of(1), () => Promise.resolve(true)))).toBe(
      'device_state_lost',
    );
    database = await openDatabase(() => (taken += 1));
  });
});
