import { expect, test } from 'vitest';
import { concat, u32be } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { open, seal } from '../../src/lib/crypto/floe.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { localCopyKey, openLocalCopy, sealLocalCopy } from '../../src/lib/journal/local-copy.ts';
import { encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { MemoryCache } from './memory-remote.ts';
import { enrolDevice, fileAdd, idOf, newWorld, openJournal, VAULT, versionOf } from './world.ts';

const encoded = ({ state, head }: Journal): Uint8Array => encodeState(state, head);

test('what was purged stays away on every device, be its state from the log, a snapshot or its own copy', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const cache = new MemoryCache();
  const laptop = await openJournal(world, world.first, { cache });
  const second = await openJournal(world, phone);
  await laptop.append(() => [fileAdd(1), fileAdd(2)]);
  await laptop.append(() => [{ kind: 'purge', entry: idOf('file', 1) }]);
  await laptop.append(() => [{ kind: 'purged', blobs: [versionOf(1).blob] }]);
  for (let number = 10; number < 270; number++) await laptop.append(() => [fileAdd(number)]);
  await laptop.flush();
  expect(laptop.state.snapshot).toBeDefined();

  const cold = await openJournal(world, phone);
  expect(cold.needsAudit).toBe(true); // It did begin from the snapshot.
  await second.refresh();
  // A device that forgot, or was made to: what it appends is skipped by all alike.
  const replay = [fileAdd(1), { ...fileAdd(3), version: versionOf(1) } as ReturnType<typeof fileAdd>];
  await second.append(() => replay);
  const restored = await openJournal(world, world.first, { cache });
  for (const journal of [laptop, cold, restored]) await journal.refresh();
  for (const journal of [laptop, second, cold, restored]) {
    expect(journal.state.entry(idOf('file', 1))).toBeUndefined();
    expect(journal.state.entry(idOf('file', 3))).toBeUndefined();
    expect(journal.state.skippedOperations).toBe(2);
    expect(encoded(journal)).toEqual(encoded(second));
  }
  await cold.audit();
  expect(cold.notes).toEqual([]);
});

test('a heartbeat says what the device needs, through the journal itself', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  await journal.append(() => [
    {
      kind: 'inbox-key',
      inbox: { blob: idOf('inbox', 1), publicKey: new Uint8Array(32), epoch: 1 },
      atMs: 1,
    },
  ]);
  await journal.heartbeat(1);
  expect((await openJournal(world)).state.heartbeats.get(world.first.id)?.inboxEpoch).toBe(1);
  await journal.heartbeat();
  expect((await openJournal(world)).state.heartbeats.get(world.first.id)?.inboxEpoch).toBeUndefined();
});

test('a copy of another format than today’s is made anew from the remote', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  const key = await localCopyKey(VAULT, 0, world.vaultKey);
  const sealed = await sealLocalCopy(key, { state: journal.state, head: journal.head, needsAudit: false });
  const aad = sealAad('cache', VAULT, 'journal', 0);
  const plaintext = await open(key.key, aad, sealed);
  const copyOf = async (format: number) =>
    openLocalCopy(key, await seal(key.key, aad, concat(u32be(format), plaintext.subarray(4))));
  expect((await copyOf(4)).head).toEqual(journal.head);
  for (const format of [0, 1, 2, 3, 5]) expect(await refusalCode(copyOf(format))).toBe('device_state_lost');
});
