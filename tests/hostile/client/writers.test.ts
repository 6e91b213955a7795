import { SEGMENT_HEAD } from '$contract/segment.ts';
import { expect } from 'vitest';
import { toHex, type Bytes } from '../../../src/lib/bytes.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { FoldedVault } from '../../../src/lib/journal/state/folded-vault.ts';
import type { Journal } from '../../../src/lib/journal/journal.ts';
import { decodeOperations } from '../../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../../src/lib/journal/entries/operations.ts';
import { journalKey } from '../../../src/lib/journal/entries/segment.ts';
import { MemoryCache, type Fault } from '../../journal/memory-remote.ts';
import {
  enrolDevice,
  fileAdd,
  folderAdd,
  idOf,
  newWorld,
  NOW_MS,
  openedSegment,
  openJournal,
  VAULT,
  type World,
} from '../../journal/world.ts';
import { row } from '../support/row.ts';
import { randomOf } from '../support/subject.ts';

// Group D: lost requests, lost replies and writers side by side, on a remote that is S3's conditional write and nothing
// more.

/** What a writer does until it is in its state, as an app does after an error. */
async function insist(journal: Journal, intent: (state: FoldedVault) => Operation[]): Promise<void> {
  for (;;) {
    try {
      await journal.append(intent);
      return;
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.family !== 'unreachable') throw error;
    }
  }
}

async function operationsOf({ remote, vaultKey }: World): Promise<Operation[]> {
  const key = await journalKey(VAULT, 0, vaultKey);
  const opened = await Promise.all(remote.log.map((bytes, seq) => openedSegment(key, seq, bytes)));
  return opened.flatMap(({ sequence }) => decodeOperations(sequence, 256).operations);
}

const addOnce = (number: number) => (state: FoldedVault) =>
  state.entry(idOf('file', number)) ? [] : [fileAdd(number)];

const SHARED = idOf('folder', 1);
const nameOf = (number: number): string => `written by ${String(number)}`;

/**
 * An edit of several steps: a file of a name that others give too, its own name, and a folder that all of them want to
 * make.
 */
async function edit(journal: Journal, number: number): Promise<void> {
  const entry = idOf('file', number);
  const name = nameOf(number);
  await insist(journal, (state) => (state.entry(entry) ? [] : [fileAdd(number, 'same name.txt')]));
  await insist(journal, (state) =>
    state.entry(entry)?.name === name ? [] : [{ kind: 'rename', entry, name }],
  );
  await insist(journal, (state) => (state.entry(SHARED) ? [] : [folderAdd(1, 'shared')]));
  await insist(journal, (state) =>
    state.entry(entry)?.folder === SHARED ? [] : [{ kind: 'move', entry, folder: SHARED }],
  );
}

row(
  'D1',
  {
    attack: 'lost reply of an append',
    tried: 'a fault before and after each request of three appends; two in a row; three in a row',
  },
  async (t) => {
    const requestsOf = async (fault: (request: number) => Fault): Promise<World & { requests: number }> => {
      const world = await newWorld();
      const journal = await openJournal(world);
      let requests = 0;
      world.remote.faultOf = () => fault(requests++);
      for (const number of [1, 2, 3]) await insist(journal, addOnce(number));
      return { ...world, requests };
    };
    const { requests } = await requestsOf(() => undefined);
    const runs = t.full ? [1, 2, 3, 4, 5] : [1, 2, 3];
    for (const inARow of runs) {
      for (const kind of ['before', 'after'] as const) {
        for (let at = 0; at < requests; at++) {
          const world = await requestsOf((request) =>
            request >= at && request < at + inARow ? kind : undefined,
          );
          const added = (await operationsOf(world)).filter((operation) => operation.kind === 'file-add');
          expect(added.map(({ file }) => file)).toEqual([1, 2, 3].map((number) => idOf('file', number)));
          expect(world.remote.log).toHaveLength(4);
          t.vary(1);
        }
      }
    }
    t.held('exactly one record each, no false conflict');
  },
);

row(
  'D2',
  {
    attack: 'lost reply, then somebody else appends',
    tried: '1 to 5 foreign segments between the lost reply and the next look',
  },
  async (t) => {
    for (let foreign = 1; foreign <= 5; foreign++) {
      const world = await newWorld();
      const phone = await enrolDevice(world, 2);
      const [mine, theirs] = [await openJournal(world), await openJournal(world, phone)];
      const append = world.remote.append.bind(world.remote);
      let lost = false;
      world.remote.append = async (segment) => {
        const head = await append(segment);
        if (lost) return head;
        lost = true;
        for (let number = 0; number < foreign; number++) {
          await theirs.refresh();
          await theirs.append(() => [fileAdd(100 + number)]);
        }
        throw new HalfkeyError('broker_unreachable', 'the reply is lost');
      };
      let asked = 0;
      await insist(mine, () => {
        asked += 1;
        return [fileAdd(1)];
      });
      expect(asked).toBe(1);
      await insist(mine, () => [fileAdd(2)]);
      await theirs.refresh();
      expect(theirs.head).toEqual(mine.head);
      expect(mine.state.skippedOperations).toBe(0);
      const files = (await operationsOf(world)).filter(({ kind }) => kind === 'file-add');
      expect(files).toHaveLength(2 + foreign);
      t.vary(1);
    }
    t.held('the own record is recognised by its bytes; nothing is written twice');
  },
);

row(
  'D3',
  {
    attack: 'conflicts that are none',
    tried: '1 to 3 answers “head changed” though nobody wrote: the same bytes again, or one new segment',
  },
  async (t) => {
    for (const conflicts of [1, 2, 3]) {
      const world = await newWorld();
      const journal = await openJournal(world);
      const append = world.remote.append.bind(world.remote);
      const sent: Bytes[] = [];
      world.remote.append = (segment) => {
        sent.push(segment);
        if (sent.length <= conflicts)
          return Promise.reject(new HalfkeyError('head_changed', 'a conflict of S3'));
        return append(segment);
      };
      await journal.append(() => [fileAdd(1)]);
      expect(world.remote.log).toHaveLength(2);
      // A segment sealed anew has a FLOE header of its own: no IV is used for two plaintexts.
      const headers = sent.map((segment) =>
        segment.slice(SEGMENT_HEAD.ciphertextOffset, SEGMENT_HEAD.ciphertextOffset + 74),
      );
      expect(new Set(headers.map(toHex)).size).toBe(new Set(sent.map(toHex)).size);
      t.vary(1);
    }
    t.held('one record, and no IV for two plaintexts');
  },
);

row(
  'D4',
  {
    attack: 'writers side by side',
    tried:
      '2 to 16 devices that add, rename and move, none, a fifth or a third of all requests and replies lost by seed; one order, judged against each writer’s own',
  },
  async (t) => {
    const rounds = t.full ? [2, 3, 5, 8, 12, 16, 16] : [2, 7, 16];
    for (const [round, writers] of rounds.entries()) {
      const random = randomOf(round);
      const edits = t.full ? Math.floor(300 / writers) : 3;
      const loss = [0.35, 0.2, 0][round % 3]!;
      const world = await newWorld();
      const devices = [world.first];
      while (devices.length < writers) devices.push(await enrolDevice(world, devices.length + 1));
      const journals = await Promise.all(devices.map((device) => openJournal(world, device)));
      world.remote.turnsOf = () => Math.floor(random() * 12);
      world.remote.faultOf = () => {
        const dice = random();
        return dice < loss / 2 ? 'before' : dice < loss ? 'after' : undefined;
      };
      await Promise.all(
        journals.map(async (journal, writer) => {
          for (let each = 0; each < edits; each++) await edit(journal, writer * 10_000 + each);
        }),
      );
      world.remote.faultOf = () => undefined;
      for (const journal of journals) await journal.refresh();
      const fresh = await openJournal(world);
      for (const journal of journals) expect(journal.head).toEqual(fresh.head);
      expect(fresh.state.skippedOperations).toBe(0);
      const written = (await operationsOf(world)).filter(({ kind }) => kind !== 'device-enrol');
      // Genesis and keyring, one shared folder, and of each edit three operations.
      expect(written).toHaveLength(2 + 1 + 3 * writers * edits);
      const added = written.flatMap((operation) => (operation.kind === 'file-add' ? [operation.file] : []));
      // Nothing acknowledged is lost, nothing is there twice, and each writer's edits stand in the order in which it
      // made them.
      expect(new Set(added).size).toBe(writers * edits);
      expect(added).toHaveLength(writers * edits);
      for (let writer = 0; writer < writers; writer++) {
        const numbers = Array.from({ length: edits }, (_, each) => writer * 10_000 + each);
        const own = numbers.map((number) => idOf('file', number));
        expect(added.filter((file) => own.includes(file))).toEqual(own);
        for (const number of numbers) {
          expect(fresh.state.entry(idOf('file', number))).toMatchObject({
            name: nameOf(number),
            folder: SHARED,
          });
        }
      }
      t.vary(3 * writers * edits);
    }
    t.held('linearizable: one order, nothing lost, nothing twice');
  },
);

row(
  'D15',
  {
    attack: 'two tabs of one device',
    tried: '500 edits (short: 80) from two journals over one local copy, replies lost on the way',
  },
  async (t) => {
    const world = await newWorld();
    const cache = new MemoryCache();
    const first = await openJournal(world, world.first, { cache });
    await first.flush();
    const second = await openJournal(world, world.first, { cache });
    const count = t.full ? 500 : 80;
    const random = randomOf(15);
    world.remote.turnsOf = () => Math.floor(random() * 5);
    world.remote.faultOf = () => (random() < 0.1 ? 'after' : undefined);
    await Promise.all(
      Array.from({ length: count }, (_, number) =>
        insist(number % 2 === 0 ? first : second, addOnce(number)),
      ),
    );
    world.remote.faultOf = () => undefined;
    await Promise.all([first.flush(), second.flush()]);
    await Promise.all([first.refresh(), second.refresh()]);
    expect(first.head).toEqual(second.head);
    expect(first.state.entries.ids).toHaveLength(count);
    expect(first.state.skippedOperations).toBe(0);
    // Behind five hundred, one of the two has written a snapshot, and the other saw it.
    expect(world.remote.log).toHaveLength(1 + count + (first.state.snapshot ? 1 : 0));
    t.vary(count);
    t.held('no edit lost, none twice, one device');
  },
);

row(
  'D17',
  {
    attack: 'clock skew',
    tried: 'devices a day, a year and 1970 off, both ways, at heartbeats, edits and trash',
  },
  async (t) => {
    const day = 86_400_000;
    for (const skewMs of [-NOW_MS, -365 * day, -day, day, 365 * day]) {
      const world = await newWorld();
      const phone = await enrolDevice(world, 2);
      const skewed = await openJournal(world, world.first, { nowMs: () => NOW_MS + skewMs });
      const right = await openJournal(world, phone);
      await skewed.heartbeat();
      await skewed.append(() => [
        fileAdd(1),
        { kind: 'trash', entry: idOf('file', 1), atMs: NOW_MS + skewMs },
      ]);
      await right.refresh();
      await right.append(() => [{ kind: 'restore', entry: idOf('file', 1) }]);
      await right.heartbeat();
      await skewed.refresh();
      expect(skewed.problem).toBeUndefined();
      expect(skewed.state.entry(idOf('file', 1))?.trashedAtMs).toBeUndefined();
      expect(skewed.state.skippedOperations).toBe(0);
      expect(skewed.head).toEqual(right.head);
      const beats = [...skewed.state.heartbeats.values()].map(({ atMs }) => atMs - NOW_MS);
      expect(beats).toEqual([skewMs, 0]);
      t.vary(1);
    }
    t.held('the chain orders, no clock does');
  },
);

row(
  'D16',
  {
    attack: 'erased while it is brought back',
    tried: 'purge and restore from the trash in both orders, by two devices, with either one’s reply lost',
  },
  async (t) => {
    for (const restoreFirst of [true, false]) {
      for (const fault of [undefined, 'before', 'after'] as const) {
        const world = await newWorld();
        const phone = await enrolDevice(world, 2);
        const [mine, theirs] = [await openJournal(world), await openJournal(world, phone)];
        const entry = idOf('file', 1);
        await mine.append(() => [fileAdd(1), { kind: 'trash', entry, atMs: 1 }]);
        await theirs.refresh();
        let isArmed = fault !== undefined;
        world.remote.faultOf = (request) => {
          if (!isArmed || request !== 'append') return undefined;
          isArmed = false;
          return fault;
        };
        const restore = () =>
          insist(mine, (state) =>
            state.entry(entry)?.trashedAtMs === undefined ? [] : [{ kind: 'restore', entry }],
          );
        const purge = () =>
          insist(theirs, (state) =>
            state.entry(entry)?.trashedAtMs === undefined ? [] : [{ kind: 'purge', entry }],
          );
        await (restoreFirst ? restore() : purge());
        await (restoreFirst ? purge() : restore());
        world.remote.faultOf = () => undefined;
        await Promise.all([mine.refresh(), theirs.refresh()]);
        const survivor = restoreFirst ? 'file 1.txt' : undefined;
        for (const { state } of [mine, theirs]) {
          expect(state.entry(entry)?.name).toBe(survivor);
          // What is listed is never among what the broker is asked to erase.
          for (const { blob } of state.versionsOf(entry)) expect(state.unpurged.has(blob)).toBe(false);
        }
        t.vary(1);
      }
    }
    t.held('one order decides; no listed version is ever named for erasure');
  },
);
