import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { decodeOperations } from '../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { journalKey, openSegment } from '../../src/lib/journal/entries/segment.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Fault } from './memory-remote.ts';
import { enrolDevice, fileAdd, folderAdd, idOf, newWorld, openJournal, VAULT, type World } from './world.ts';

/** A small generator with a seed: the same faults in each run (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a writer does until it is in its state, as an app does after an error: it looks, and asks again for what is missing. */
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

async function write(journal: Journal, writer: number, edits: number): Promise<void> {
  for (let edit = 0; edit < edits; edit++) {
    const number = writer * 100 + edit;
    const id = idOf('file', number);
    await insist(journal, (state) => (state.entry(id) ? [] : [fileAdd(number, 'same name.txt')]));
    const name = `written by ${String(number)}`;
    await insist(journal, (state) =>
      state.entry(id)?.name === name ? [] : [{ kind: 'rename', entry: id, name }],
    );
    const shared = idOf('folder', 1);
    await insist(journal, (state) => (state.entry(shared) ? [] : [folderAdd(1, 'shared')]));
    await insist(journal, (state) =>
      state.entry(id)?.folder === shared ? [] : [{ kind: 'move', entry: id, folder: shared }],
    );
  }
}

async function operationsOf({ remote, vaultKey }: World): Promise<Operation[]> {
  const key = await journalKey(VAULT, 1, vaultKey);
  const opened = await Promise.all(remote.log.map((bytes, seq) => openSegment(key, seq, bytes)));
  return opened.flatMap(({ sequence }) => decodeOperations(sequence, 256).operations);
}

test('2 to 8 writers over a remote that loses requests and replies end in one order, nothing lost, nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.constantFrom(0, 0.1, 0.35),
      async (writers, seed, loss) => {
        const random = randomOf(seed);
        const world = await newWorld();
        const devices = [world.first];
        while (devices.length < writers) devices.push(await enrolDevice(world, devices.length + 1));
        const journals = await Promise.all(devices.map((device) => openJournal(world, device)));
        world.remote.turnsOf = () => Math.floor(random() * 12);
        world.remote.faultOf = (): Fault => {
          const dice = random();
          if (dice >= loss) return undefined;
          return dice < loss / 2 ? 'before' : 'after';
        };
        const edits = 3;
        await Promise.all(journals.map((journal, writer) => write(journal, writer, edits)));
        world.remote.faultOf = () => undefined;
        for (const journal of journals) await journal.refresh();

        const fresh = await openJournal(world);
        for (const journal of journals) expect(journal.head).toEqual(fresh.head);
        expect(fresh.state.skippedOperations).toBe(0);
        for (let writer = 0; writer < writers; writer++) {
          for (let edit = 0; edit < edits; edit++) {
            const entry = fresh.state.entry(idOf('file', writer * 100 + edit));
            expect(entry?.name).toBe(`written by ${String(writer * 100 + edit)}`);
            expect(entry?.folder).toBe(idOf('folder', 1));
          }
        }
        const written = (await operationsOf(world)).filter(({ kind }) => kind !== 'device-enrol');
        expect(written).toHaveLength(2 + writers * edits * 3 + 1); // Genesis and keyring, and one shared folder.
      },
    ),
    { seed: 41, numRuns: 12 },
  );
}, 120_000);

test('two tabs of one device write side by side without losing an edit', async () => {
  const world = await newWorld();
  const [left, right] = [await openJournal(world), await openJournal(world)];
  await Promise.all([
    ...Array.from({ length: 60 }, (_, number) => left.append(() => [fileAdd(number)])),
    ...Array.from({ length: 60 }, (_, number) => right.append(() => [fileAdd(100 + number)])),
  ]);
  await left.refresh();
  await right.refresh();
  expect(left.head).toEqual(right.head);
  expect(world.remote.log).toHaveLength(121);
  expect(left.state.index.byId.size).toBe(120);
});
