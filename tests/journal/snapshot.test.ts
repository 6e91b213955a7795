import { expect, test } from 'vitest';
import type { Bytes } from '../../src/lib/bytes.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { list } from '../../src/lib/journal/state/listing.ts';
import { encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import { journalKey, sealSegment } from '../../src/lib/journal/entries/segment.ts';
import { loadSnapshot, sealSnapshot } from '../../src/lib/journal/snapshot.ts';
import { decodeState, encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import { isSound } from '../../src/lib/journal/state/state-check.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { MemoryCache, MemoryRemote } from './memory-remote.ts';
import {
  fileAdd,
  folderAdd,
  idOf,
  newWorld,
  openJournal,
  trustOf,
  VAULT,
  versionOf,
  type World,
} from './world.ts';

const ALL = { place: { kind: 'all' }, sortBy: 'name', descending: false } as const;
const NO_PAGE = new Uint8Array(0);

/** A journal of a few entries of every sort. */
async function smallVault(): Promise<{ world: World; journal: Journal }> {
  const world = await newWorld();
  const journal = await openJournal(world);
  await journal.append(() => [
    folderAdd(1, 'Ordner'),
    fileAdd(1, 'ä.txt', idOf('folder', 1)),
    fileAdd(2, '🗝.png'),
    fileAdd(3),
    { kind: 'version-add', file: idOf('file', 1), version: versionOf(9) },
    { kind: 'version-add', file: idOf('file', 1), version: versionOf(10) },
    { kind: 'version-restore', file: idOf('file', 1), blob: versionOf(9).blob },
    { kind: 'purge', entry: idOf('file', 3) },
    { kind: 'purged', blobs: [versionOf(3).blob] },
    { kind: 'trash', entry: idOf('file', 2), atMs: 5 },
    { kind: 'tag', entry: idOf('file', 2), tags: ['red'] },
    { kind: 'inbox-key', inbox: { blob: idOf('inbox', 1), publicKey: new Uint8Array(32), epoch: 1 } },
  ]);
  await journal.heartbeat();
  return { world, journal };
}

/** A vault with one snapshot, some segments before and behind it. */
async function vaultWithSnapshot(): Promise<{ world: World; journal: Journal }> {
  const world = await newWorld();
  const journal = await openJournal(world);
  for (let number = 0; number < 256; number++) await journal.append(() => [fileAdd(number)]);
  await journal.flush();
  await journal.append(() => [fileAdd(1000), { kind: 'trash', entry: idOf('file', 5), atMs: 1 }]);
  return { world, journal };
}

test('an encoded state reads back as it was, and encodes to the same bytes', async () => {
  const { journal } = await smallVault();
  const encoded = encodeState(journal.state, journal.head);
  const { state, head } = decodeState(encoded);
  expect(head).toEqual(journal.head);
  expect(encodeState(state, head)).toEqual(encoded);
  expect(isSound(state)).toBe(true);
  for (const id of journal.state.index.byId.keys()) {
    expect(state.entry(id)).toEqual(journal.state.entry(id));
    expect(state.versionsOf(id)).toEqual(journal.state.versionsOf(id));
  }
  const parts = ['genesis', 'keyring', 'inboxKeys', 'devices', 'heartbeats', 'unpurged', 'erased'] as const;
  for (const part of parts) {
    expect(state[part]).toEqual(journal.state[part]);
  }
  expect(state.index.byId.has(idOf('file', 3))).toBe(false);
});

test('a damaged encoding is malformed or another state, and never fails in any other way', async () => {
  const { journal } = await smallVault();
  const encoded = encodeState(journal.state, journal.head);
  for (let offset = 0; offset < encoded.length; offset++) {
    const bytes = new Uint8Array(encoded);
    bytes[offset]! ^= 1 + (offset % 255);
    const outcome = await Promise.resolve()
      .then(() => isSound(decodeState(bytes).state))
      .catch((error: unknown) => (error as { code?: string }).code);
    expect([true, false, 'format_malformed']).toContain(outcome);
  }
  for (let length = 0; length < encoded.length; length += 7) {
    expect(await refusalCode(Promise.resolve().then(() => decodeState(encoded.slice(0, length))))).toBe(
      'format_malformed',
    );
  }
});

test('a sealed snapshot opens for whoever has its name and the vault key', async () => {
  const { world, journal } = await smallVault();
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const { snapshot, pages } = await sealSnapshot(key, journal.state, journal.head);
  await world.remote.putPages(snapshot.seq, pages);
  const { state, head } = await loadSnapshot(await trustOf(world), world.remote, snapshot, 0);
  expect(encodeState(state, head)).toEqual(encodeState(journal.state, journal.head));
});

test('refuses a snapshot that differs from its name in any part', async () => {
  const { world, journal } = await smallVault();
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const { snapshot, pages } = await sealSnapshot(key, journal.state, journal.head);
  const page = snapshot.pages[0]!;
  const zeros = new Uint8Array(32);
  const altered: [typeof snapshot, (bytes: Bytes) => Bytes][] = [
    [snapshot, (bytes) => bytes.slice(0, -1)],
    [snapshot, (bytes) => new Uint8Array(bytes).fill(0, 300, 301)],
    [snapshot, () => NO_PAGE],
    [{ ...snapshot, stateHash: zeros }, (bytes) => bytes],
    [{ ...snapshot, hash: zeros }, (bytes) => bytes],
    [{ ...snapshot, seq: 1 }, (bytes) => bytes],
    [{ ...snapshot, pages: [] }, (bytes) => bytes],
    [{ ...snapshot, pages: [page, page] }, (bytes) => bytes],
    [{ ...snapshot, pages: [{ ...page, page: idOf('page', 1) }] }, (bytes) => bytes],
  ];
  for (const [name, alter] of altered) {
    const remote = new MemoryRemote();
    remote.getPage = () => Promise.resolve(alter(pages[0]!.bytes));
    expect(await refusalCode(loadSnapshot(await trustOf(world), remote, name, 0))).toBe('snapshot_wrong');
  }
  await world.remote.putPages(snapshot.seq, pages);
  const trust = await trustOf(world);
  const otherRoot = { ...trust, root: { ...trust.root, identityPublicKey: zeros } };
  const otherKey = await trustOf({ ...world, vaultKey: zeros });
  for (const other of [otherRoot, otherKey]) {
    expect(await refusalCode(loadSnapshot(other, world.remote, snapshot, 0))).toBe('snapshot_wrong');
  }
  expect(await refusalCode(loadSnapshot(trust, world.remote, snapshot, 1))).toBe('snapshot_wrong');
});

test('refuses a state that no fold gives, though its writer sealed and named it', async () => {
  const { world, journal } = await smallVault();
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const damages: ((state: Journal['state']) => void)[] = [
    ({ entries }) => (entries.parents[0] = 0),
    ({ entries }) => (entries.parents[0] = 1),
    ({ entries }) => (entries.names[0] = '../x'),
    ({ entries }) => (entries.ids[0] = '_'.repeat(22)),
    ({ entries }) => (entries.ids[0] = entries.ids[1]!),
    ({ entries }) => (entries.newest[1] = entries.newest[2]!),
    ({ versions }) => (versions.previous[0] = 1),
    ({ versions }) => (versions.blobs[0] = versions.blobs[1]!),
    ({ versions }) => (versions.sizeBytes[0] = Number.NaN),
    ({ unpurged, versions }) => unpurged.add(versions.blobs[0]!),
    ({ tags }) => tags.set(99, ['x']),
    ({ erased, entries }) => erased.set(entries.ids[1]!, 1),
    ({ erased, versions }) => erased.set(versions.blobs[0]!, 1),
    ({ erased }) => erased.set(idOf('file', 99), 2), // There is no inbox key 2.
    (state) => (state.oldestInboxEpoch = 1), // File 3 was purged under key 0.
    (state) => {
      state.erased.clear();
      state.oldestInboxEpoch = 2;
    },
    (state) =>
      state.devices.set(world.first.id, {
        ...state.devices.get(world.first.id)!,
        publicKey: new Uint8Array(32),
      }),
  ];
  for (const [index, damage] of damages.entries()) {
    const { state, head } = decodeState(encodeState(journal.state, journal.head));
    damage(state);
    const { snapshot, pages } = await sealSnapshot(key, state, head);
    await world.remote.putPages(snapshot.seq, pages);
    const outcome = await loadSnapshot(await trustOf(world), world.remote, snapshot, 0).then(
      () => 'taken',
      (error: unknown) => (error as { code?: string }).code,
    );
    expect(outcome, `damage ${String(index)}`).toBe('snapshot_wrong');
  }
});

test('is written each 256 segments by whoever appends, and a new device begins from it', async () => {
  const { world, journal } = await vaultWithSnapshot();
  expect(world.remote.pages.size).toBe(1);
  expect(journal.state.snapshot?.seq).toBe(256);
  expect(world.remote.log).toHaveLength(1 + 256 + 1 + 1);
  const seen: number[] = [];
  world.remote.tamper = (seq, bytes) => {
    seen.push(seq);
    return bytes;
  };
  world.remote.segmentsPerRead = 64;
  const cold = await openJournal(world);
  expect(cold.needsAudit).toBe(true);
  expect(cold.head).toEqual(journal.head);
  expect(encodeState(cold.state, cold.head)).toEqual(encodeState(journal.state, journal.head));
  await cold.audit();
  expect(cold.needsAudit).toBe(false);
  expect(cold.notes).toEqual([]);
});

test('reads only the end of a long log', async () => {
  const { world, journal } = await vaultWithSnapshot();
  for (let number = 2000; number < 2100; number++) await journal.append(() => [fileAdd(number)]);
  const seen = new Set<number>();
  world.remote.tamper = (seq, bytes) => {
    seen.add(seq);
    return bytes;
  };
  const cold = await openJournal(world);
  expect(cold.head).toEqual(journal.head);
  expect(seen.has(0)).toBe(false);
});

test.each([
  [
    'damaged',
    (remote: MemoryRemote) => {
      for (const [name, bytes] of remote.pages)
        remote.pages.set(
          name,
          bytes.map((byte) => byte ^ 1),
        );
    },
  ],
  [
    'empty',
    (remote: MemoryRemote) => {
      for (const name of remote.pages.keys()) remote.pages.set(name, NO_PAGE);
    },
  ],
])('drops a snapshot whose pages are %s for the log, and says so', async (_, damage) => {
  const { world, journal } = await vaultWithSnapshot();
  damage(world.remote);
  const cold = await openJournal(world);
  expect(cold.notes.map(({ code }) => code)).toEqual(['snapshot_wrong']);
  expect(cold.needsAudit).toBe(false);
  expect(cold.problem).toBeUndefined();
  expect(encodeState(cold.state, cold.head)).toEqual(encodeState(journal.state, journal.head));
});

test('a snapshot that leaves a file out is found by whoever folded the log, and mended', async () => {
  const { world, journal } = await vaultWithSnapshot();
  const watcher = await openJournal(world);
  await watcher.audit();
  const key = await journalKey(VAULT, 0, world.vaultKey);
  const { state, head } = decodeState(encodeState(journal.state, journal.head));
  state.versions.sizeBytes[0] = 1;
  state.entries.names[7] = 'somewhere else';
  const { snapshot, pages } = await sealSnapshot(key, state, head);
  await world.remote.putPages(snapshot.seq, pages);
  const evil = { device: world.first.id, privateKey: world.first.keys.privateKey };
  const operation = encodeOperation({ kind: 'snapshot', snapshot });
  await world.remote.append(
    await sealSegment(await journalKey(VAULT, 0, world.vaultKey), journal.head, operation, evil),
  );

  await watcher.refresh();
  expect(watcher.notes).toMatchObject([{ code: 'snapshot_wrong', detail: { seq: snapshot.seq } }]);
  expect(watcher.state.entry(idOf('file', 7))?.name).toBe('file 7.txt');

  const misled = await openJournal(world);
  expect(misled.state.entry(idOf('file', 7))?.name).toBe('somewhere else');
  expect(misled.needsAudit).toBe(true);
  await misled.audit();
  expect(misled.notes.map(({ code }) => code)).toEqual(['snapshot_wrong']);
  expect(encodeState(misled.state, misled.head)).toEqual(encodeState(watcher.state, watcher.head));

  await watcher.append(() => [fileAdd(3000)]);
  await watcher.flush();
  expect(watcher.state.snapshot!.seq).toBeGreaterThan(snapshot.seq);
  const cold = await openJournal(world);
  expect(cold.state.entry(idOf('file', 7))?.name).toBe('file 7.txt');
});

test('that an audit is due outlives a restart', async () => {
  const { world } = await vaultWithSnapshot();
  const cache = new MemoryCache();
  const cold = await openJournal(world, world.first, { cache });
  await cold.flush();
  expect((await openJournal(world, world.first, { cache })).needsAudit).toBe(true);
  await cold.audit();
  await cold.flush();
  expect((await openJournal(world, world.first, { cache })).needsAudit).toBe(false);
});

test.each(['not_found', 'url_expired', 'store_unreachable', 'input_too_large'] as const)(
  'takes the log where the pages of a snapshot are refused as %s',
  async (code) => {
    const { world, journal } = await vaultWithSnapshot();
    world.remote.getPage = () => Promise.reject(new HalfkeyError(code, 'no page'));
    const cold = await openJournal(world);
    expect(cold.head).toEqual(journal.head);
    expect(cold.problem).toBeUndefined();
    expect(list(cold.state, ALL).total).toBe(list(journal.state, ALL).total);
  },
);

test('keeps a name that begins with U+FEFF, wherever it stands', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  await journal.append(() => [
    fileAdd(1, '\ufeff\ufeffmarked.txt'),
    fileAdd(2, '\ufeffonce.txt'),
    fileAdd(3),
  ]);
  const { state } = decodeState(encodeState(journal.state, journal.head));
  expect(state.entries.names).toEqual(journal.state.entries.names);
});
