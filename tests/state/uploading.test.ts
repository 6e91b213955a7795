import './runes.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Brought } from '../../src/lib/platform/folder-reading.ts';
import type { PickedFile } from '../../src/lib/protocol/transfer.ts';
import type { Transfers } from '../../src/lib/state/transfers.svelte.ts';
import { NameConflicts } from '../../src/lib/state/name-conflicts.svelte.ts';
import { Uploading } from '../../src/lib/state/uploading.ts';
import { until } from '../support/until.ts';
import { toldWorker } from './told-worker.ts';

/** What is there, by folder. */
const THERE: Record<string, Record<string, 'file' | 'folder'>> = {
  here: { 'a.txt': 'file', 'b.txt': 'file', dir: 'folder', 'x.txt': 'folder' },
  'here/dir': { 'c.txt': 'file' },
};
let conflicts: NameConflicts;
let uploading: Uploading;
let sent: [string, unknown][];
let uploaded: readonly PickedFile[] | undefined;

beforeEach(() => {
  conflicts = new NameConflicts();
  uploaded = undefined;
  const told = toldWorker({
    'names/taken': ({ folder, names }) => ({
      taken: names.flatMap((name) => {
        const kind = THERE[folder]?.[name];
        return kind ? [{ name, kind, entry: `${folder}/${name}` }] : [];
      }),
    }),
    'folders/add': ({ parent, folders }) => {
      const ids: string[] = [];
      for (const { name, within } of folders)
        ids.push(`${within === undefined ? parent : ids[within]!}/${name}`);
      return { folders: ids };
    },
  });
  ({ sent } = told);
  const transfers = {
    upload: (files: readonly PickedFile[]) => {
      uploaded = files;
      return Promise.resolve(files.length - 1);
    },
  } as unknown as Transfers;
  uploading = new Uploading({ worker: told.worker, transfers, conflicts });
});

const file = (name: string, within?: number) => ({ source: new File([name], name), within });
const brought = (about: Partial<Brought>): Brought => ({ folders: [], files: [], unread: [], ...about });
const places = () =>
  uploaded?.map(
    ({ source, folder, versionOf }) =>
      `${folder}: ${source.name}${versionOf === undefined ? '' : ` = ${versionOf}`}`,
  );

it('adds files to the folder at once where no name is taken', async () => {
  const end = await uploading.bring(brought({ files: [file('n.txt'), file('m.txt')] }), 'here');
  expect([places(), end]).toEqual([['here: n.txt', 'here: m.txt'], { files: 2, beyondCode: 1, folders: 0 }]);
});

it('adds nothing, and makes no folder, where there is nothing', async () => {
  expect(await uploading.bring(brought({}), 'here')).toEqual({ files: 0, beyondCode: 0, folders: 0 });
  expect([uploaded, sent]).toEqual([undefined, []]);
});

it('makes all folders in one change, and merges into those that are there', async () => {
  const folders = [
    { name: 'dir', within: undefined },
    { name: 'new', within: 0 },
    { name: 'empty', within: undefined },
  ];
  const bringing = uploading.bring(
    brought({ folders, files: [file('c.txt', 0), file('d.txt', 0), file('a.txt', 1)] }),
    'here',
  );
  await until(() => conflicts.asked);
  expect(conflicts.asked).toMatchObject({ conflict: { name: 'c.txt', kind: 'file' }, left: 1 });
  expect(sent.map(([name]) => name)).not.toContain('folders/add');
  conflicts.answer('version', false);
  await bringing;
  expect(sent.filter(([name]) => name === 'folders/add')).toEqual([
    ['folders/add', { parent: 'here', folders }],
  ]);
  expect(places()).toEqual(['here/dir: c.txt = here/dir/c.txt', 'here/dir: d.txt', 'here/dir/new: a.txt']);
});

describe('names that are taken', () => {
  const three = () =>
    uploading.bring(
      brought({ files: ['a.txt', 'x.txt', 'b.txt', 'n.txt'].map((name) => file(name)) }),
      'here',
    );
  const ask = () => until(() => conflicts.asked);

  it('are asked about one by one', async () => {
    const bringing = three();
    await ask();
    conflicts.answer('skip', false);
    await until(() => conflicts.asked?.left === 2);
    expect(conflicts.asked).toMatchObject({ conflict: { name: 'x.txt', kind: 'folder' } });
    conflicts.answer('both', false);
    await until(() => conflicts.asked?.left === 1);
    conflicts.answer('version', false);
    await bringing;
    expect(places()).toEqual(['here: x.txt', 'here: b.txt = here/b.txt', 'here: n.txt']);
    expect(conflicts.asked).toBeUndefined();
  });

  it('are asked about once for all; nothing is a version of a folder', async () => {
    const bringing = three();
    await ask();
    conflicts.answer('version', true);
    await bringing;
    expect(places()).toEqual([
      'here: a.txt = here/a.txt',
      'here: x.txt',
      'here: b.txt = here/b.txt',
      'here: n.txt',
    ]);
  });

  it('leave nothing behind when it is called off', async () => {
    const bringing = three();
    await ask();
    conflicts.callOff();
    expect(await bringing).toBeUndefined();
    expect([uploaded, conflicts.asked]).toEqual([undefined, undefined]);
  });

  it('of a second drop wait for the first', async () => {
    const [first, second] = [three(), three()];
    await ask();
    conflicts.answer('skip', true);
    await first;
    await ask();
    conflicts.answer('both', true);
    await second;
    expect(places()).toEqual(['here: a.txt', 'here: x.txt', 'here: b.txt', 'here: n.txt']);
  });
});
