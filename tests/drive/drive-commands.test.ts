import { beforeEach, expect, it } from 'vitest';
import { driveCommands, type SignedInDrive } from '../../src/lib/drive/drive-commands.ts';
import type { Edit } from '../../src/lib/drive/change.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { View, type Drive } from '../../src/lib/drive/view.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { enrolDevice, fileAdd, folderAdd, idOf, newWorld, openJournal } from '../journal/world.ts';

const FILE = idOf('file', 1);
const FOLDER = idOf('folder', 1);
let heard: string[];
/** Stores what is to be changed. */
let store: (edits: readonly Edit[]) => Promise<void>;

beforeEach(() => {
  heard = [];
  store = (edits) =>
    Promise.resolve(void heard.push(edits.map(({ kind, name }) => `${kind} ${name}`).join()));
});

async function commands() {
  const world = await newWorld();
  await enrolDevice(world, 2);
  const journal = await openJournal(world);
  await journal.append(() => [fileAdd(1, 'a'), folderAdd(1, 'Norway')]);
  const changes = {
    shown: journal.state,
    edit: (build: (shown: FoldedVault) => readonly Edit[]) => store(build(journal.state)),
  };
  return driveCommands(
    new View(
      () => undefined,
      () => 'no',
    ),
    {
      drive: () => ({ journal, changes }) as unknown as Drive,
      device: () => world.first.id,
      sync: () => heard.push('sync'),
      nowMs: () => 7,
    } as unknown as SignedInDrive,
  );
}

it('sends a new name on its way as soon as it rests on this device', async () => {
  await (await commands())['entry/rename']({ entry: FILE, name: 'b' });
  expect(heard).toEqual(['rename b', 'sync']);
});

it('sends nothing where the name could not be kept', async () => {
  store = () => Promise.reject(new HalfkeyError('device_full', 'no room'));
  const { 'entry/rename': rename } = await commands();
  expect(await refusalCode(Promise.resolve(rename({ entry: FILE, name: 'b' })))).toBe('device_full');
  expect(heard).toEqual([]);
});

it('tells the page the names of the other devices, and nothing else of them', async () => {
  expect(await (await commands())['who/read']({})).toEqual({ otherDevices: ['Phone'] });
});

it('says where each was that is moved, and moves nothing where one of them cannot be', async () => {
  const { 'entries/move': move } = await commands();
  const places = [
    { entry: FILE, folder: FOLDER },
    { entry: FOLDER, folder: '' },
  ];
  expect(await move({ places })).toEqual({ moved: [{ entry: FILE, folder: '' }] });
  expect(heard).toEqual(['move a', 'sync']);
  const within = [...places, { entry: FOLDER, folder: FOLDER }];
  expect(await refusalCode(Promise.resolve(move({ places: within })))).toBe('folder_within');
  expect(heard).toHaveLength(2);
});

it('says what went into the trash, and what came back', async () => {
  const { 'entries/trash': trash, 'entries/restore': restore } = await commands();
  expect(await trash({ entries: [FILE, idOf('file', 9)] })).toEqual({ trashed: [FILE] });
  expect(await restore({ entries: [FILE] })).toEqual({ restored: [] });
  expect(heard).toEqual(['trash a', 'sync', '', 'sync']);
});

it('makes a folder, unless there is one of that name, or nothing to make it in', async () => {
  const { 'folder/add': add } = await commands();
  const { folder } = await add({ parent: FOLDER, name: 'Norway' });
  expect(folder).toMatch(/^[\w-]{22}$/);
  for (const [parent, name, code] of [
    ['', 'Norway', 'already_exists'],
    ['', 'Norway/2026', 'name_malformed'],
    [FILE, 'x', 'not_found'],
    [idOf('folder', 9), 'x', 'not_found'],
  ] as const) {
    expect(await refusalCode(Promise.resolve(add({ parent, name })))).toBe(code);
  }
  expect(heard).toEqual(['folder-add Norway', 'sync']);
});

it('names what a folder has of these, in the form that the journal would give them', async () => {
  const { 'names/taken': taken } = await commands();
  expect(await taken({ folder: '', names: ['a', 'b', 'Norway', 'A'] })).toEqual({
    taken: [
      { name: 'Norway', entry: FOLDER, kind: 'folder' },
      { name: 'a', entry: FILE, kind: 'file' },
    ],
  });
});
