import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change, Edit } from '../../src/lib/drive/change.ts';
import * as edits from '../../src/lib/drive/edits.ts';
import { rebase } from '../../src/lib/drive/rebase.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import { ROOT, type Operation } from '../../src/lib/journal/entries/operations.ts';
import { applySegment, fold } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import { fileAdd, folderAdd, idOf, versionOf } from '../journal/world.ts';

const NO_HASH = new Uint8Array(32);
const HEAD = { seq: 1, hash: NO_HASH };
const HERE = { device: 'here', isOwn: () => false };

const file = (number: number) => idOf('file', number);
const folder = (number: number) => idOf('folder', number);

function write(state: FoldedVault, writer: string, operations: readonly Operation[]): void {
  applySegment(state, { seq: 1, prevHash: NO_HASH, writer, operations, malformed: 0 });
}

/** Two folders, the second in the first; a and b at the top, c in the first. */
function vault(...more: Operation[]): FoldedVault {
  const state = fold([]);
  write(state, 'there', [
    folderAdd(1, 'Norway'),
    folderAdd(2, '2026', folder(1)),
    fileAdd(1, 'a'),
    fileAdd(2, 'b'),
    fileAdd(3, 'c', folder(1)),
    ...more,
  ]);
  return state;
}

const rename = (entry: string, was: string, name: string): Edit => ({ kind: 'rename', entry, was, name });
const move = (entry: string, to: string): Edit => ({ kind: 'move', entry, name: 'x', folder: to });
const version = (number: number): Edit => ({
  ...{ kind: 'version-restore', entry: file(1), name: 'x', blob: versionOf(number).blob },
});
const trash = (entry: string): Edit => ({ kind: 'trash', entry, name: 'x', atMs: 5 });
const restore = (entry: string): Edit => ({ kind: 'restore', entry, name: 'x' });
const tag = (entry: string, add: string[], remove: string[] = []): Edit => ({
  ...{ kind: 'tag', entry, name: 'x', add, remove },
});
const made = (number: number, parent: string): Edit => ({
  ...{ kind: 'folder-add', entry: folder(number), name: `made ${String(number)}`, parent },
});
const change = (...all: Edit[]): Change => ({ edits: all });

describe('edits, rebased on what others did', () => {
  test.each<[string, Operation[], Edit[], Operation[], string[]]>([
    ['a name', [], [rename(file(1), 'a', 'x')], [{ kind: 'rename', entry: file(1), name: 'x' }], []],
    ['a name that was changed elsewhere', [], [rename(file(1), 'older', 'x')], [], ['head_changed']],
    ['a name that it has already', [], [rename(file(1), 'older', 'a')], [], []],
    ['a name of what was deleted for good', [], [rename(file(9), 'gone', 'x')], [], ['not_found']],
    [
      'two names of one file',
      [],
      [rename(file(1), 'a', 'x'), rename(file(1), 'x', 'y')],
      [
        { kind: 'rename', entry: file(1), name: 'x' },
        { kind: 'rename', entry: file(1), name: 'y' },
      ],
      [],
    ],
    [
      'two tabs, neither of which had seen the other',
      [],
      [rename(file(1), 'a', 'x'), rename(file(1), 'a', 'y')],
      [
        { kind: 'rename', entry: file(1), name: 'x' },
        { kind: 'rename', entry: file(1), name: 'y' },
      ],
      [],
    ],
    [
      'a move, whatever it was moved to meanwhile',
      [{ kind: 'move', entry: file(1), folder: folder(2) }],
      [move(file(1), folder(1))],
      [{ kind: 'move', entry: file(1), folder: folder(1) }],
      [],
    ],
    ['a version that is the newest', [], [version(1)], [], []],
    ['a version that is gone', [], [version(9)], [], ['not_found']],
    [
      'an earlier version',
      [{ kind: 'version-add', file: file(1), version: versionOf(9) }],
      [version(1)],
      [{ kind: 'version-restore', file: file(1), blob: versionOf(1).blob }],
      [],
    ],
    ['a move to where it is already', [], [move(file(3), folder(1))], [], []],
    ['a move to a folder that is gone', [], [move(file(1), folder(9))], [], ['folder_gone']],
    ['a move to a file', [], [move(file(1), file(2))], [], ['folder_gone']],
    [
      'a move to a folder in the trash',
      [{ kind: 'trash', entry: folder(1), atMs: 1 }],
      [move(file(1), folder(2))],
      [],
      ['folder_gone'],
    ],
    ['a move into what is in it', [], [move(folder(1), folder(2))], [], ['folder_within']],
    [
      'moves into each other, the other device first',
      [folderAdd(3, 'Tax'), { kind: 'move', entry: folder(1), folder: folder(3) }],
      [move(folder(3), folder(1))],
      [],
      ['folder_within'],
    ],
    ['a move of what is gone', [], [move(file(9), folder(1))], [], ['not_found']],
    ['to the trash', [], [trash(file(1))], [{ kind: 'trash', entry: file(1), atMs: 5 }], []],
    [
      'to the trash, where it is, or what is gone',
      [{ kind: 'trash', entry: file(1), atMs: 1 }],
      [trash(file(1)), trash(file(9))],
      [],
      [],
    ],
    ['restoring what is not in the trash', [], [restore(file(1))], [], []],
    ['restoring what is gone', [], [restore(file(9))], [], ['not_found']],
    [
      'tags beside those that were set elsewhere',
      [{ kind: 'tag', entry: file(1), tags: ['red', 'tax'] }],
      [tag(file(1), ['blue'], ['red'])],
      [{ kind: 'tag', entry: file(1), tags: ['tax', 'blue'] }],
      [],
    ],
    [
      'tags that it has',
      [{ kind: 'tag', entry: file(1), tags: ['x'] }],
      [tag(file(1), ['x'], ['y'])],
      [],
      [],
    ],
    [
      'a folder, and what is put into it',
      [],
      [made(7, folder(1)), move(file(1), folder(7))],
      [
        { kind: 'folder-add', folder: folder(7), parent: folder(1), name: 'made 7' },
        { kind: 'move', entry: file(1), folder: folder(7) },
      ],
      [],
    ],
    [
      'a folder in one that went into the trash is at the top',
      [{ kind: 'trash', entry: folder(1), atMs: 1 }],
      [made(7, folder(2))],
      [{ kind: 'folder-add', folder: folder(7), parent: ROOT, name: 'made 7' }],
      [],
    ],
    [
      'one is given up, the other is not',
      [],
      [move(file(9), ''), trash(file(1))],
      [{ kind: 'trash', entry: file(1), atMs: 5 }],
      ['not_found'],
    ],
  ])('%s', (_name, elsewhere, wanted, written, reasons) => {
    const { operations, dropped } = rebase(vault(...elsewhere), [change(...wanted)], HERE);
    expect(operations).toEqual(written);
    expect([...dropped.values()]).toEqual(reasons);
  });

  test('a tag beside as many as an entry can have is given up, and what comes after it is not', () => {
    const tags = Array.from({ length: 1000 }, (_none, n) => String(n));
    const wanted = [tag(file(1), ['★']), tag(file(1), ['x'], ['0']), trash(file(2))];
    const state = vault({ kind: 'tag', entry: file(1), tags });
    const { operations, dropped } = rebase(state, [change(...wanted)], HERE);
    expect(operations.map((operation) => encodeOperation(operation).length > 0)).toEqual([true, true]);
    expect([...dropped]).toEqual([[wanted[0], 'head_changed']]);
  });

  test('a name of this device is its own to change, whatever it was shown as', () => {
    const { operations } = rebase(vault(), [change(rename(file(1), 'older', 'x'))], {
      ...HERE,
      isOwn: (entry) => entry === file(1),
    });
    expect(operations).toHaveLength(1);
  });

  test('shows what they come to, and leaves the state alone', () => {
    const state = vault();
    const before = encodeState(state, HEAD);
    const { state: shown, touched } = rebase(
      state,
      [change(trash(folder(1)), rename(file(1), 'a', 'z'))],
      HERE,
    );
    expect([...touched].sort()).toEqual([file(1), folder(1)].sort());
    expect([shown.entry(file(1))?.name, shown.entry(folder(1))?.trashedAtMs]).toEqual(['z', 5]);
    expect(encodeState(state, HEAD)).toEqual(before);
    expect(rebase(state, [], HERE).state).toBe(state);
  });
});

/** What a person at one of the devices does next; `pick` and `to` choose among what is shown there. */
interface Move {
  readonly at: 0 | 1;
  readonly does: 'add' | 'rename' | 'move' | 'trash' | 'restore' | 'tag' | 'purge' | 'upload' | 'sync';
  readonly pick: number;
  readonly to: number;
}

/** A device that is offline until it syncs: what it knows of the journal, and what it has changed. */
interface Offline {
  readonly id: string;
  known: FoldedVault;
  read: number;
  waiting: Change[];
}

describe('two devices with the same drive', () => {
  const moves = fc.array(
    fc.record<Move>({
      at: fc.constantFrom(0, 1),
      does: fc.constantFrom(
        ...(['add', 'rename', 'move', 'move', 'trash', 'restore', 'tag', 'purge', 'upload', 'sync'] as const),
      ),
      pick: fc.nat(30),
      to: fc.nat(30),
    }),
    { maxLength: 60 },
  );

  test('end alike whatever they do, with nothing lost, no circle and no folder out of reach', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const log: { writer: string; operations: Operation[] }[] = [];
        const devices: [Offline, Offline] = [
          { id: 'one', known: fold([]), read: 0, waiting: [] },
          { id: 'two', known: fold([]), read: 0, waiting: [] },
        ];
        const uploaded = new Set<string>();
        const purged = new Set<string>();
        let made = 100;
        const catchUp = (device: Offline) => {
          for (; device.read < log.length; device.read++) {
            const { writer, operations } = log[device.read]!;
            write(device.known, writer, operations);
          }
        };
        const editorOf = ({ id }: Offline) => ({ device: id, isOwn: () => false });
        const sync = (device: Offline) => {
          catchUp(device);
          const { operations } = rebase(device.known, device.waiting, editorOf(device));
          device.waiting = [];
          if (operations.length > 0) log.push({ writer: device.id, operations: [...operations] });
          catchUp(device);
        };
        for (const { at, does, pick, to } of all) {
          const device = devices[at];
          const shown = rebase(device.known, device.waiting, editorOf(device)).state;
          const ids = [...shown.index.byId.keys()].filter((id) => shown.entry(id) !== undefined);
          const folders = [ROOT, ...ids.filter((id) => shown.entry(id)?.isFolder)];
          const entry = ids[pick % Math.max(1, ids.length)] ?? '';
          const target = folders[to % folders.length] ?? ROOT;
          const does_ = (build: () => readonly Edit[]) => {
            try {
              const built = build();
              if (built.length > 0) device.waiting.push({ edits: [...built] });
            } catch (error) {
              if (!(error instanceof HalfkeyError)) throw error; // It is refused: then nothing is changed.
            }
          };
          if (does === 'add') {
            does_(() => edits.addFolder(shown, target, `folder ${String(to % 3)}`).edits);
          } else if (does === 'rename') does_(() => edits.rename(shown, entry, `name ${String(to % 3)}`));
          else if (does === 'move') does_(() => edits.place(shown, [{ entry, folder: target }]));
          else if (does === 'trash') does_(() => edits.trash(shown, [entry], 5));
          else if (does === 'restore') does_(() => edits.restore(shown, [entry]));
          else if (does === 'tag') does_(() => edits.tag(shown, [entry], { add: ['t'], remove: [] }));
          else if (does === 'sync') sync(device);
          else {
            // These want the network.
            sync(device);
            if (does === 'upload') {
              made += 1;
              const operation = fileAdd(made, `file ${String(to % 3)}`, target);
              uploaded.add(file(made));
              log.push({ writer: device.id, operations: [operation] });
            } else if (device.known.entry(entry)) {
              const isFile = device.known.newestVersion(entry) !== undefined;
              if (isFile) purged.add(entry);
              log.push({ writer: device.id, operations: [{ kind: 'purge', entry }] });
            }
            catchUp(device);
          }
        }
        for (const device of [...devices, ...devices]) sync(device);
        const [one, two] = devices.map(({ known }) => known);
        expect(encodeState(one!, HEAD)).toEqual(encodeState(two!, HEAD));
        const { state: nothing, operations } = rebase(one!, [], HERE);
        expect([nothing, operations]).toEqual([one, []]);
        for (const id of uploaded) expect([id, one!.entry(id) !== undefined]).toEqual([id, !purged.has(id)]);
        for (const id of one!.index.byId.keys()) {
          let steps = 0;
          for (let above = one!.entry(id)?.folder ?? ROOT; above !== ROOT; steps++) {
            expect(steps).toBeLessThan(200);
            const parent = one!.entry(above);
            expect(parent?.isFolder).toBe(true);
            above = parent?.folder ?? ROOT;
          }
        }
      }),
      { seed: 23, numRuns: 400 },
    );
  });
});
