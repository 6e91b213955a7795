import fc from 'fast-check';
import { decode, encode } from 'cborg';
import { expect } from 'vitest';
import { concat, equalBytes, type Bytes } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { applySegment, fold, type FoldableSegment } from '../../../src/lib/journal/state/fold.ts';
import { list } from '../../../src/lib/journal/state/listing.ts';
import { normalName } from '../../../src/lib/journal/entries/names.ts';
import { decodeOperations, encodeOperation } from '../../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../../src/lib/journal/entries/operations.ts';
import { journalKey, sealSegment } from '../../../src/lib/journal/entries/segment.ts';
import { sealSnapshot } from '../../../src/lib/journal/snapshot.ts';
import { decodeState, encodeState } from '../../../src/lib/journal/state/state-encoding.ts';
import { entryOperation } from '../../journal/operation-arbitrary.ts';
import {
  fileAdd,
  folderAdd,
  idOf,
  newWorld,
  openJournal,
  VAULT,
  versionOf,
  type World,
} from '../../journal/world.ts';
import { row } from '../support/row.ts';

// Group C: a trusted device that is hostile or broken: what it signs is folded by everybody.

const ALL = { place: { kind: 'all' }, sortBy: 'name', descending: false } as const;
const HASH = new Uint8Array(32).fill(5);

async function append(world: World, sequence: Bytes): Promise<void> {
  const { head } = await openJournal(world);
  const signer = { device: world.first.id, privateKey: world.first.keys.privateKey };
  await world.remote.append(
    await sealSegment(await journalKey(VAULT, 0, world.vaultKey), head, sequence, signer),
  );
}

row(
  'C11',
  {
    attack: 'a bad snapshot',
    tried: 'files left out, renamed, of other sizes or blobs, made up; pages cut, changed, of another place',
  },
  async (t) => {
    const world = await newWorld();
    const journal = await openJournal(world);
    for (let number = 0; number < 256; number++) await journal.append(() => [fileAdd(number)]);
    await journal.flush();
    await journal.append(() => [fileAdd(1000)]);
    const truth = encodeState(journal.state, journal.head);
    const key = await journalKey(VAULT, 0, world.vaultKey);
    const lies: ((state: typeof journal.state) => void)[] = [
      ({ entries }) => (entries.names[7] = 'somewhere else'),
      ({ versions }) => (versions.sizeBytes[0] = 1),
      ({ versions }) => (versions.blobs[3] = idOf('blob', 9999)),
      ({ versions }) => (versions.digests[3] = versions.digests[4]!),
      (state) => {
        state.heartbeats.clear();
      },
      ({ entries }) => (entries.trashedAtMs[5] = 5),
      (state) => {
        applySegment(state, {
          seq: 1,
          prevHash: HASH,
          writer: world.first.id,
          operations: [fileAdd(5000)],
          malformed: 0,
        });
      },
      (state) => {
        applySegment(state, {
          seq: 1,
          prevHash: HASH,
          writer: world.first.id,
          operations: [{ kind: 'purge', entry: idOf('file', 9) }],
          malformed: 0,
        });
      },
    ];
    for (const lie of lies) {
      const remote = world.remote.fork();
      const forked = { ...world, remote };
      const { state, head } = decodeState(truth.slice());
      lie(state);
      if (equalBytes(encodeState(state, head), truth)) continue;
      const { snapshot, pages } = await sealSnapshot(key, state, head);
      await remote.putPages(snapshot.seq, pages);
      await append(forked, encodeOperation({ kind: 'snapshot', snapshot }));
      const misled = await openJournal(forked);
      expect(misled.needsAudit).toBe(true);
      await misled.audit();
      expect(misled.notes.map(({ code }) => code)).toEqual(['snapshot_wrong']);
      expect(list(misled.state, ALL).rows(0, 300)).toEqual(list(journal.state, ALL).rows(0, 300));
      t.vary(1);
      t.refused('snapshot_wrong');
    }
    for (const damage of [
      (page: Bytes) => page.slice(0, -1),
      (page: Bytes) => page.map((byte) => byte ^ 1),
      () => new Uint8Array(0),
    ]) {
      const remote = world.remote.fork();
      for (const [name, page] of remote.pages) remote.pages.set(name, damage(page));
      const opened = await openJournal({ ...world, remote });
      expect(opened.notes.map(({ code }) => code)).toEqual(['snapshot_wrong']);
      expect(list(opened.state, ALL).rows(0, 300)).toEqual(list(journal.state, ALL).rows(0, 300));
      t.vary(1);
      t.refused('snapshot_wrong');
    }
  },
);

/**
 * What a hostile member writes: fields that its own client would refuse, in an operation that is otherwise well formed.
 */
function encodeAsIs(operation: Operation): Bytes {
  try {
    return encodeOperation(operation);
  } catch {
    const hostile = new Map<string, string>();
    const tame = Object.entries(operation).map(([field, value]: [string, unknown], index) => {
      if (field === 'kind' || typeof value !== 'string') return [field, value];
      const stand = field === 'name' ? 'stand-in' : idOf('stand-in', index);
      hostile.set(stand, value);
      return [field, stand];
    });
    const raw = decode(encodeOperation(Object.fromEntries(tame) as Operation)) as unknown[];
    return encode(raw.map((field) => (typeof field === 'string' ? (hostile.get(field) ?? field) : field)));
  }
}

const hostileName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '',
    '.',
    '..',
    '../x',
    '../../etc/passwd',
    '/etc/passwd',
    'a/b',
    '..\\x',
    'con',
    '\0',
    'a\0b',
    '\u202egnp.exe',
    '\u2066',
    'x'.repeat(65_536),
    'é'.repeat(128),
    '\ud800',
    'a\u0301',
    '\ufeff',
    'a',
    'A',
    'a (2)',
    ' ',
    '\r\n',
    '__proto__',
    'constructor',
  ),
);
const anyId = fc.oneof(
  fc.nat(5).map((number) => idOf('folder', number)),
  fc.constantFrom('', 'x', '__proto__', '..'),
);
const wildOperation: fc.Arbitrary<Operation> = fc.oneof(
  entryOperation,
  fc.record({ kind: fc.constant('folder-add' as const), folder: anyId, parent: anyId, name: hostileName }),
  fc.record({ kind: fc.constant('move' as const), entry: anyId, folder: anyId }),
  fc.record({ kind: fc.constant('rename' as const), entry: anyId, name: hostileName }),
  fc.record({
    kind: fc.constant('file-add' as const),
    file: anyId,
    folder: anyId,
    name: hostileName,
    version: fc.nat(9).map((number) => versionOf(number)),
  }),
);

row(
  'C15',
  {
    attack: 'cycles, duplicates, hostile names',
    tried:
      'seeded histories of a malicious member: parents in circles, NUL, RTL, `../`, 64 KiB, lone surrogates',
  },
  async (t) => {
    await Promise.resolve();
    fc.assert(
      fc.property(fc.array(fc.array(wildOperation, { maxLength: 60 }), { maxLength: 4 }), (batches) => {
        const segments = batches.map((operations, index): FoldableSegment => ({
          seq: index + 1,
          prevHash: HASH,
          writer: idOf('device', 1),
          ...decodeOperations(concat(...operations.map(encodeAsIs)), 256),
        }));
        const state = fold(segments);
        const places: string[] = [];
        for (const id of state.index.byId.keys()) {
          const entry = state.entry(id);
          if (!entry) continue; // Hidden: it was purged.
          // A name that every reader takes, whatever its Unicode calls the normal form (docs/FORMAT.md).
          expect(normalName(entry.name)).toBe(entry.name.normalize('NFC'));
          let steps = 0;
          let path = entry.name;
          for (let above = entry.folder; above !== ''; above = state.entry(above)!.folder) {
            path = `${state.entry(above)!.name}/${path}`;
            expect(steps++).toBeLessThan(10);
          }
          // What an export would write stays inside its root.
          expect(
            new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///vault/').pathname.startsWith(
              '/vault/',
            ),
          ).toBe(true);
          if (entry.trashedAtMs === undefined) places.push(`${entry.folder}/${entry.name}`);
        }
        expect(new Set(places).size).toBe(places.length);
        t.vary(1);
      }),
      { seed: 15, numRuns: t.full ? 20_000 : 400 },
    );
    t.held('folding ends, throws nothing, and every path is in its root, once');
  },
);

row(
  'C17',
  {
    attack: 'poison records',
    tried:
      'segments of 1 MiB and more, of garbage, of 10,000 operations, of nested CBOR; behind a good history',
  },
  async (t) => {
    const world = await newWorld();
    const journal = await openJournal(world);
    await journal.append(() => [fileAdd(1)]);
    const deep = new Uint8Array(200_000).fill(0x81); // Arrays in arrays.
    const sequences: Bytes[] = [
      deep,
      new Uint8Array(100_000).fill(0xff),
      new Uint8Array(400_000),
      concat(...Array.from({ length: 10_000 }, () => encodeOperation(folderAdd(1, 'x')))),
      encode([5, 'x'.repeat(300_000)]),
      encode({ kind: 'genesis' }),
      concat(encode([0, null]), encode([[[]]])),
    ];
    for (const sequence of sequences) {
      const remote = world.remote.fork();
      const forked = { ...world, remote };
      await append(forked, sequence);
      // Signed by a trusted device, so it has its place: what makes no sense in it is skipped, and the vault goes on
      // after it.
      const opened = await openJournal(forked);
      expect(opened.problem).toBeUndefined();
      expect(opened.state.entry(idOf('file', 1))?.name).toBe('file 1.txt');
      await opened.append(() => [fileAdd(2)]);
      expect((await openJournal(forked)).state.entry(idOf('file', 2))).toBeDefined();
      t.vary(1);
    }
    t.held('what makes no sense is skipped, and the vault is written on');
    for (const sizeBytes of [1024 * 1024 + 1, 8 * 1024 * 1024, 64 * 1024 * 1024]) {
      const remote = world.remote.fork();
      remote.log.push(new Uint8Array(sizeBytes));
      const opened = await openJournal({ ...world, remote });
      expect(opened.problem).toMatchObject({
        code: 'journal_corrupt',
        detail: { seq: remote.log.length - 1 },
      });
      expect(opened.state.entry(idOf('file', 1))?.name).toBe('file 1.txt');
      t.vary(1);
      t.refused('journal_corrupt');
    }
  },
);

row(
  'C18',
  {
    attack: 'a hundred thousand files',
    tried: 'an import of 100,000, and a cold open on another device',
  },
  async (t) => {
    const count = 100_000;
    const world = await newWorld();
    const journal = await openJournal(world);
    await journal.append(() => Array.from({ length: count }, (_, number) => fileAdd(number)));
    await journal.flush();
    expect(world.remote.log.length - 1).toBeLessThanOrEqual(400);
    const readsBefore = world.remote.reads;
    const cold = await openJournal(world);
    const reads = world.remote.reads - readsBefore;
    expect(list(cold.state, ALL).total).toBe(count);
    // A page of a snapshot stays a single small object, and both devices have the very same state.
    const pages = [...world.remote.pages.values()].map((page) => page.length);
    expect(pages.length).toBeGreaterThan(0);
    expect(Math.max(...pages)).toBeLessThanOrEqual(16 * 1024 * 1024);
    const hashes = await Promise.all(
      [journal, cold].map(({ state, head }) => sha256(encodeState(state, head))),
    );
    expect(hashes[1]).toEqual(hashes[0]);
    const [last] = list(cold.state, { ...ALL, descending: true }).rows(0, 1);
    expect(last?.name).toBe(`file ${String(count - 1)}.txt`);
    expect(reads).toBeLessThanOrEqual(4);
    t.vary(1);
    t.held(`${String(world.remote.log.length - 1)} writes; opened cold in ${String(reads)} reads`);
  },
);
