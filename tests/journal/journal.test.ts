import { expect, test } from 'vitest';
import { headPhrase } from '../../src/lib/journal/entries/head-phrase.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { list } from '../../src/lib/journal/state/listing.ts';
import { refusal, refusalCode } from '../crypto/refusal.ts';
import { MemoryCache } from './memory-remote.ts';
import {
  certifiedDevice,
  enrolDevice,
  enrolment,
  fileAdd,
  idOf,
  newWorld,
  openJournal,
  type World,
} from './world.ts';

const ALL = { place: { kind: 'all' }, sortBy: 'name', descending: false } as const;
const has = (journal: Journal, number: number): boolean =>
  journal.state.entry(idOf('file', number)) !== undefined;

/** A journal whose device has seen three files, and its cache. */
async function seenThree(): Promise<{ world: World; journal: Journal; cache: MemoryCache }> {
  const world = await newWorld();
  const cache = new MemoryCache();
  const journal = await openJournal(world, world.first, { cache });
  for (const number of [1, 2, 3]) await journal.append(() => [fileAdd(number)]);
  await journal.flush();
  return { world, journal, cache };
}

test('shows on one device what another has appended', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const [onLaptop, onPhone] = [await openJournal(world), await openJournal(world, phone)];
  let changes = 0;
  const stop = onPhone.onChange(() => changes++);
  await onLaptop.append(() => [fileAdd(1), fileAdd(2)]);
  expect(await onPhone.refresh()).toBe(true);
  expect(await onPhone.refresh()).toBe(false);
  expect(changes).toBe(1);
  stop();
  expect(list(onPhone.state, ALL).rows(0, 10)).toEqual(list(onLaptop.state, ALL).rows(0, 10));
  expect(list(onPhone.state, ALL).total).toBe(2);
  expect(headPhrase(onPhone.head)).toBe(headPhrase(onLaptop.head));
});

test('starts from its own copy without the network', async () => {
  const { world, journal, cache } = await seenThree();
  list(journal.state, ALL);
  await journal.append(() => [fileAdd(4), { kind: 'purge', entry: idOf('file', 2) }]);
  await journal.flush();
  world.remote.faultOf = () => 'before';
  const again = await openJournal(world, world.first, { cache });
  expect(again.head).toEqual(journal.head);
  expect(list(again.state, ALL).rows(0, 9)).toEqual(list(journal.state, ALL).rows(0, 9));
  expect(await refusalCode(again.refresh())).toBe('broker_unreachable');
  expect(again.problem).toBeUndefined();
  world.remote.faultOf = () => undefined;
  await again.append(() => [fileAdd(5)]);
  expect(has(again, 5)).toBe(true);
});

test('is rebuilt from the remote when this device has lost all it had', async () => {
  const { world, journal } = await seenThree();
  const again = await openJournal(world);
  expect(again.head).toEqual(journal.head);
  expect(list(again.state, ALL).rows(0, 9)).toEqual(list(journal.state, ALL).rows(0, 9));
});

test('drops a copy that was tampered with, says so, and takes the log', async () => {
  const { world, cache, journal } = await seenThree();
  for (const offset of [0, 50, 80, 500]) {
    const damaged = new MemoryCache();
    damaged.record = new Uint8Array(cache.record!);
    damaged.record[offset]! ^= 1;
    const again = await openJournal(world, world.first, { cache: damaged });
    expect(again.notes.map(({ code }) => code)).toEqual(['device_state_lost']);
    expect(again.head).toEqual(journal.head);
  }
});

test('asks for an answer of its own: a remote that is silent at the first start is no empty vault', async () => {
  const world = await newWorld();
  world.remote.faultOf = () => 'before';
  expect(await refusalCode(openJournal(world))).toBe('broker_unreachable');
});

test('goes on when the remote shows again what it had', async () => {
  const { world, journal } = await seenThree();
  const last = world.remote.log.pop()!;
  expect(await refusalCode(journal.refresh())).toBe('rollback');
  world.remote.log.push(last);
  expect(await journal.refresh()).toBe(false);
  expect(journal.problem).toBeUndefined();
  await journal.append(() => [fileAdd(4)]);
  expect(has(journal, 4)).toBe(true);
});

test('a journal that is gone is missing, not empty', async () => {
  const { world, journal } = await seenThree();
  world.remote.log.length = 0;
  expect(await refusalCode(journal.refresh())).toBe('vault_missing');
  expect(await refusalCode(journal.append(() => [fileAdd(4)]))).toBe('vault_missing');
  expect(has(journal, 3)).toBe(true);
});

test('two devices that are shown different histories find out by comparing heads', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const other: World = { ...world, remote: world.remote.fork() };
  const [onLaptop, onPhone] = [await openJournal(world), await openJournal(other, phone)];
  await onLaptop.append(() => [fileAdd(1)]);
  await onPhone.append(() => [fileAdd(2)]);
  await onPhone.append(() => [fileAdd(3)]);
  expect(headPhrase(onLaptop.head)).not.toBe(headPhrase(onPhone.head));
  const [laptopHead, phoneHead] = [onLaptop.head, onPhone.head];
  expect(await refusalCode(onLaptop.compareHead(phoneHead))).toBe('rollback');
  expect(await refusalCode(onPhone.compareHead(laptopHead))).toBe('fork');
  expect(await refusalCode(onPhone.append(() => [fileAdd(4)]))).toBe('fork');
  expect(await refusalCode(onPhone.refresh())).toBe('fork');
});

test('tells a fork when it is shown the other history, longer or not', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const other: World = { ...world, remote: world.remote.fork() };
  const [onLaptop, onPhone] = [await openJournal(world), await openJournal(other, phone)];
  await onLaptop.append(() => [fileAdd(1)]);
  await onPhone.append(() => [fileAdd(2)]);
  world.remote.log.splice(0, Infinity, ...other.remote.log);
  expect(await refusalCode(onLaptop.refresh())).toBe('fork');
  await onPhone.append(() => [fileAdd(3)]);
  world.remote.log.push(other.remote.log[3]!);
  const restarted = onLaptop.refresh();
  expect(await refusal(restarted)).toMatchObject({ code: 'fork', detail: { seq: 3 } });
  expect(has(onLaptop, 1)).toBe(true);
  expect(has(onLaptop, 3)).toBe(false);
});

test('a fresh device with the kit’s head notices a log that ends before it, or went another way', async () => {
  const { world, journal } = await seenThree();
  const expectedHead = journal.head;
  const older = world.remote.fork();
  older.log.pop();
  const onOlder = await openJournal({ ...world, remote: older }, world.first, { expectedHead });
  expect(onOlder.problem?.code).toBe('rollback');

  const forked: World = { ...world, remote: older.fork() };
  const onFork = await openJournal(forked);
  for (const number of [7, 8, 9]) await onFork.append(() => [fileAdd(number)]);
  const misled = await openJournal(forked, world.first, { expectedHead });
  expect(misled.problem?.code).toBe('fork');
  expect(await refusalCode(misled.append(() => [fileAdd(10)]))).toBe('fork');

  for (const number of [7, 8, 9]) await journal.append(() => [fileAdd(number)]);
  world.remote.segmentsPerRead = 2;
  const honest = await openJournal(world, world.first, { expectedHead });
  expect(honest.problem).toBeUndefined();
  expect(honest.head.seq).toBe(6);
});

test('refuses a head that is not the hash of the segment it names', async () => {
  const { world, journal } = await seenThree();
  world.remote.toldHead = { seq: 3, hash: new Uint8Array(32) };
  expect(await refusalCode(journal.refresh())).toBe('fork');
});

test('sends the same bytes again until the remote answers', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  const sent: string[] = [];
  const append = world.remote.append.bind(world.remote);
  world.remote.append = (segment) => {
    sent.push(segment.join());
    return append(segment);
  };
  let faults = 3;
  world.remote.faultOf = (request) => (request === 'append' && faults-- > 0 ? 'before' : undefined);
  await journal.append(() => [fileAdd(1)]);
  expect(sent).toHaveLength(4);
  expect(new Set(sent).size).toBe(1);
});

test('gives up after five silent tries, and the next refresh tells what became of it', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  let isLost = true;
  world.remote.faultOf = (request) => (isLost ? (request === 'append' ? 'after' : 'before') : undefined);
  expect(await refusalCode(journal.append(() => [fileAdd(1)]))).toBe('broker_unreachable');
  isLost = false;
  const again = (): Promise<void> =>
    journal.append((state) => (state.entry(idOf('file', 1)) ? [] : [fileAdd(1)]));
  await again();
  expect(world.remote.log).toHaveLength(2);
  expect(journal.state.skippedOperations).toBe(0);
});

test('asks the intent again when another device was faster', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const [onLaptop, onPhone] = [await openJournal(world), await openJournal(world, phone)];
  await onPhone.append(() => [fileAdd(1)]);
  const seen: boolean[] = [];
  await onLaptop.append((state) => {
    const isThere = state.entry(idOf('file', 1)) !== undefined;
    seen.push(isThere);
    return isThere ? [{ kind: 'rename', entry: idOf('file', 1), name: 'mine' }] : [fileAdd(1, 'mine')];
  });
  expect(seen).toEqual([false, true]);
  expect(onLaptop.state.entry(idOf('file', 1))?.name).toBe('mine');
  expect(onLaptop.state.skippedOperations).toBe(0);
});

test('appends of one device wait for each other', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  await Promise.all(Array.from({ length: 20 }, (_, number) => journal.append(() => [fileAdd(number)])));
  expect(world.remote.log).toHaveLength(21);
  expect(list(journal.state, ALL).total).toBe(20);
});

test('an intent that wants nothing writes nothing', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  await journal.append(() => []);
  expect(world.remote.log).toHaveLength(1);
});

test('writes a bulk in full segments, and after a conflict no part of it again', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const [onLaptop, onPhone] = [await openJournal(world), await openJournal(world, phone)];
  const append = world.remote.append.bind(world.remote);
  let appends = 0;
  world.remote.append = async (segment) => {
    if (appends++ === 2) {
      await onPhone.refresh();
      await onPhone.append(() => [fileAdd(5000)]);
    }
    return append(segment);
  };
  await onLaptop.append(() => Array.from({ length: 1000 }, (_, number) => fileAdd(number)));
  expect(world.remote.log).toHaveLength(2 + 4 + 1);
  expect(list(onLaptop.state, ALL).total).toBe(1001);
  expect(onLaptop.state.skippedOperations).toBe(0);
});

test('segments stay below the broker’s limit, however long the operations are', async () => {
  const world = await newWorld();
  const journal = await openJournal(world);
  const blobs = Array.from({ length: 1000 }, (_, number) => idOf('blob', number));
  await journal.append(() => Array.from({ length: 60 }, () => ({ kind: 'purged', blobs }) as const));
  expect(world.remote.log.length).toBeGreaterThan(2);
  expect(Math.max(...world.remote.log.map((segment) => segment.length))).toBeLessThan(1024 * 1024);
});

test('a new device is enrolled by the identity key, and may write only then', async () => {
  const world = await newWorld();
  const tablet = await certifiedDevice(world.identity, 3);
  const journal = await openJournal(world, tablet);
  expect(await refusalCode(journal.append(() => [fileAdd(1)]))).toBe('device_untrusted');
  expect(journal.problem).toBeUndefined();
  await journal.appendByIdentity(world.identity.privateKey, [enrolment(tablet, 'Tablet')]);
  await journal.append(() => [fileAdd(1)]);
  expect(journal.state.trustedDevice(tablet.id)?.name).toBe('Tablet');
});

test('a head’s phrase names its place and differs with a single bit of the hash', () => {
  const hash = new Uint8Array(32);
  expect(headPhrase({ seq: 412, hash })).toBe('412 · aaaa aaaa aaaa aaaa aaaa');
  hash[12] = 0x10;
  expect(headPhrase({ seq: 412, hash })).toBe('412 · aaaa aaaa aaaa aaaa aaab');
  expect(headPhrase({ seq: 0, hash: hash.fill(255) })).toBe('0 · 9999 9999 9999 9999 9999');
});
