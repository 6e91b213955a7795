import fc from 'fast-check';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { idOf, versionOf } from './world.ts';

const small = fc.integer({ min: 0, max: 7 });
const fileId = small.map((number) => idOf('file', number));
const folderId = small.map((number) => idOf('folder', number));
const anyFolder = fc.oneof(folderId, fc.constant(''), fileId);
const entry = fc.oneof(fileId, folderId);
const name = fc.constantFrom('a', 'a (2)', 'a.txt', 'b.txt', 'A', '\u00e9', '\u202eb');
const version = fc.integer({ min: 0, max: 20 }).map((number) => versionOf(number));
const atMs = fc.constantFrom(0, -5, 1, 1_795_000_000_000);

/** The hash that its heartbeats name. */
const HEARD = new Uint8Array(32).fill(5);

/** Operations on files and folders over so few ids and names that they get into each other's way. */
export const entryOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('file-add' as const), file: fileId, folder: anyFolder, name, version }),
  fc.record({ kind: fc.constant('folder-add' as const), folder: entry, parent: anyFolder, name }),
  fc.record({ kind: fc.constant('version-add' as const), file: entry, version }),
  fc.record({
    kind: fc.constant('version-restore' as const),
    file: entry,
    blob: version.map(({ blob }) => blob),
  }),
  fc.record({ kind: fc.constant('rename' as const), entry, name }),
  fc.record({ kind: fc.constant('move' as const), entry, folder: anyFolder }),
  fc.record({ kind: fc.constant('trash' as const), entry, atMs }),
  fc.record({ kind: fc.constant('restore' as const), entry }),
  fc.record({ kind: fc.constant('purge' as const), entry }),
  fc.record({
    kind: fc.constant('purged' as const),
    blobs: fc.array(
      version.map(({ blob }) => blob),
      { maxLength: 4 },
    ),
  }),
  fc.record({ kind: fc.constant('tag' as const), entry, tags: fc.subarray(['red', 'blue']) }),
);

const inboxEpoch = fc.integer({ min: 0, max: 3 });

const inboxBlob = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }).map((number) => idOf('inbox', number)) },
  { weight: 1, arbitrary: version.map(({ blob }) => blob) },
);

/** What decides how long purged ids are remembered. */
const inboxOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: fc.constant('inbox-key' as const),
    inbox: fc.record({
      blob: inboxBlob,
      publicKey: fc.constant(new Uint8Array(32)),
      epoch: fc.integer({ min: 1, max: 3 }),
    }),
    atMs: fc.option(atMs, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('heartbeat' as const),
    seq: fc.constant(0),
    hash: fc.constant(HEARD),
    atMs,
    inboxEpoch: fc.option(inboxEpoch, { nil: undefined, freq: 8 }),
  }),
  fc.record({ kind: fc.constant('inbox-retire' as const), epoch: inboxEpoch }),
);

/** Files that come, go and try to come back, while inbox keys do the same. */
export const purgingOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: entryOperation },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge' as const), entry: fileId }) },
  { weight: 3, arbitrary: inboxOperation },
);
