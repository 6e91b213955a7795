import fc from 'fast-check';
import type { Operation } from '../../src/lib/journal/operations.ts';
import { idOf, versionOf } from './world.ts';

const small = fc.integer({ min: 0, max: 7 });
const fileId = small.map((number) => idOf('file', number));
const folderId = small.map((number) => idOf('folder', number));
const anyFolder = fc.oneof(folderId, fc.constant(''), fileId);
const entry = fc.oneof(fileId, folderId);
const name = fc.constantFrom('a', 'a (2)', 'a.txt', 'b.txt', 'A', '\u00e9', '\u202eb');
const version = fc.integer({ min: 0, max: 20 }).map((number) => versionOf(number));
const atMs = fc.constantFrom(0, -5, 1, 1_795_000_000_000);

/** Operations on files and folders over so few ids and names that they get into each other's way. */
export const entryOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('file-add' as const), file: fileId, folder: anyFolder, name, version }),
  fc.record({ kind: fc.constant('folder-add' as const), folder: entry, parent: anyFolder, name }),
  fc.record({ kind: fc.constant('version-add' as const), file: entry, version }),
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
