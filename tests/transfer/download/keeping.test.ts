import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { concat, toB64, utf8 } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { seal } from '../../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../../src/lib/crypto/padding.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { Version } from '../../../src/lib/journal/entries/operations.ts';
import { openDatabase, type Database } from '../../../src/lib/store/database.ts';
import { keptRecords, type KeptRecords } from '../../../src/lib/store/kept-records.ts';
import { Keeping } from '../../../src/lib/transfer/download/keeping.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { idOf, versionOf } from '../../journal/world.ts';
import { withTimersFired } from '../../support/fired-timers.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { openVaultWorld, type VaultWorld } from '../../support/vault-world.ts';
import { MemoryFiles } from '../engine/memory-files.ts';
import { until } from '../../support/until.ts';

const FILE = idOf('file', 1);
let world: VaultWorld;
let database: Database;
let records: KeptRecords;
let files: MemoryFiles;
let locks: TestLocks;
let heard: string[];
let keeping: Keeping;
/** What the store answers; undefined: it cannot be reached. */
let stored: Uint8Array<ArrayBuffer> | undefined;
let version: Version;
let fetches: number;

beforeEach(async () => {
  [world, database] = [await openVaultWorld(), await openDatabase(() => undefined)];
  await database.clear('kept');
  [records, files, locks, heard, fetches] = [
    keptRecords(database),
    new MemoryFiles(),
    new TestLocks(),
    [],
    0,
  ];
  const padded = concat(utf8('abc'), new Uint8Array(paddedSize(3) - 3));
  stored = await seal(new Uint8Array(32), sealAad('content', world.vault, idOf('blob', 1), 1), padded);
  version = { ...versionOf(1, 3), sealedBytes: stored.length, digest: toB64(await sha256(stored)) };
  await world.journal.append(() => [{ kind: 'file-add', file: FILE, folder: '', name: 'a', version }]);
  vi.stubGlobal('fetch', () => {
    fetches += 1;
    if (!stored) return Promise.reject(new HalfkeyError('session_missing', 'x'));
    return Promise.resolve(new Response(stored, { status: 206 }));
  });
  keeping = openTab();
});
afterEach(() => {
  database.close();
  vi.unstubAllGlobals();
});

function openTab(): Keeping {
  return new Keeping({
    ...{ vault: () => world.open, records, files, locks: locks.client().locks },
    onChange: () => heard.push(keeping.stateOf(BLOB)),
    onShown: () => heard.push('shown'),
  });
}
const BLOB = idOf('blob', 1);
/** The broker cannot be reached. */
const offline = () => {
  world.interfere = () => Promise.reject(new HalfkeyError('broker_failed', 'x'));
};
const online = () => {
  world.interfere = (_route, _request, effect) => effect();
};

describe('a file that is kept', () => {
  it('is here whole once it was fetched, part by part', async () => {
    await keeping.keep(FILE);
    expect(heard).toEqual(['keeping', 'kept']);
    expect(files.blobs.get(BLOB)?.get(1)).toEqual(stored);
    expect(keeping.total()).toEqual({ count: 1, sizeBytes: stored?.length });
  });

  it('is fetched once, however often it is asked for', async () => {
    await keeping.keep(FILE);
    await keeping.keep(FILE);
    expect(fetches).toBe(1);
  });

  it('is read from here where it is whole, and forgotten where the browser has taken it', async () => {
    await keeping.keep(FILE);
    const part = { partNumber: 1, sizeBytes: stored!.length } as never;
    const parts = keeping.partsOf(BLOB)!;
    expect((await parts.part(part))?.size).toBe(stored?.length);
    await files.write(BLOB, 1, new Uint8Array(3));
    expect(await parts.part(part)).toBeUndefined();
    expect(keeping.stateOf(BLOB)).toBe('no');
    expect(keeping.partsOf(BLOB)).toBeUndefined();
  });

  it('is none that the journal does not know', async () => {
    expect(await refusalCode(keeping.keep(idOf('file', 9)))).toBe('not_found');
  });

  it('whose bytes are not what the journal pins is not kept', async () => {
    stored = stored!.slice();
    stored[stored.length - 1]! ^= 1;
    expect(await refusalCode(keeping.keep(FILE))).toBe('digest_mismatch');
    expect([keeping.stateOf(BLOB), await records.list(), files.blobs.size]).toEqual(['no', [], 0]);
  });

  it('for which there is no room is not kept', async () => {
    files.write = () => Promise.reject(new HalfkeyError('device_full', 'no room'));
    expect(await refusalCode(keeping.keep(FILE))).toBe('device_full');
    expect([keeping.stateOf(BLOB), await records.list()]).toEqual(['no', []]);
  });

  it('is dropped when nobody wants it any more', async () => {
    await keeping.keep(FILE);
    await keeping.drop(FILE);
    expect([keeping.stateOf(BLOB), await records.list(), files.blobs.size]).toEqual(['no', [], 0]);
  });

  it('is dropped when the journal does not name that version any more', async () => {
    await keeping.keep(FILE);
    await world.journal.append(() => [{ kind: 'purge', entry: FILE }]);
    await keeping.settle();
    expect([keeping.stateOf(BLOB), files.blobs.size]).toEqual(['no', 0]);
  });
});

describe('a device that starts', () => {
  it('knows what is kept, and removes what nobody asked for', async () => {
    await keeping.keep(FILE);
    await files.write('left', 1, new Uint8Array(3));
    keeping = openTab();
    heard = [];
    await keeping.resume();
    expect([keeping.stateOf(BLOB), [...files.blobs.keys()], heard]).toEqual(['kept', [BLOB], ['shown']]);
  });

  it('goes on with what was not fetched whole', async () => {
    await records.save({ blob: BLOB, file: FILE, sealedBytes: stored!.length, isWhole: false });
    await keeping.resume();
    await until(() => keeping.stateOf(BLOB) === 'kept');
    expect(files.blobs.get(BLOB)?.get(1)).toEqual(stored);
  });

  it('leaves to another tab what that one fetches', async () => {
    await records.save({ blob: BLOB, file: FILE, sealedBytes: stored!.length, isWhole: false });
    void locks.client().locks.request(`halfkey-kept-${BLOB}`, () => new Promise(() => undefined));
    await keeping.reload();
    await keeping.keep(FILE);
    expect([keeping.stateOf(BLOB), fetches]).toEqual(['keeping', 0]);
  });
});

describe('without a network', () => {
  it('what is to be kept is fetched later', async () => {
    offline();
    await withTimersFired(() => keeping.keep(FILE));
    expect(keeping.stateOf(BLOB)).toBe('keeping');
    online();
    await keeping.settle();
    await until(() => keeping.stateOf(BLOB) === 'kept');
  });
});

it('stops where it stands when nobody is signed in any more, and what rests stays', async () => {
  await keeping.keep(FILE);
  keeping.close();
  expect([keeping.stateOf(BLOB), (await records.list()).length, keeping.total().count]).toEqual(['no', 1, 0]);
});
