import { beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import type { Operation } from '../../../src/lib/journal/entries/operations.ts';
import { planZip } from '../../../src/lib/transfer/download/zip-plan.ts';
import { idOf, versionOf } from '../../journal/world.ts';
import { openVaultWorld, type VaultWorld } from '../../support/vault-world.ts';

let world: VaultWorld;
let count: number;

beforeEach(async () => {
  world = await openVaultWorld();
  count = 0;
});

const write = (...operations: readonly Operation[]) => world.journal.append(() => operations);
const id = (name: string) => idOf('entry', Number.parseInt(Buffer.from(name).toString('hex').slice(-8), 16));
const folder = (name: string, parent = ''): Operation => ({
  ...{ kind: 'folder-add', folder: id(name), name },
  parent: parent && id(parent),
});
const file = (name: string, parent = ''): Operation => ({
  ...{ kind: 'file-add', file: id(name), name, version: versionOf(++count) },
  folder: parent && id(parent),
});
const plan = (...chosen: readonly string[]) => {
  const { files, emptyFolders, name } = planZip(
    world.journal.state,
    chosen.map((each) => each && id(each)),
  );
  return { name, files: files.map(({ path }) => path).sort(), emptyFolders };
};

describe('what a zip holds', () => {
  beforeEach(() =>
    write(
      folder('out'),
      folder('in', 'out'),
      folder('none', 'in'),
      file('a', 'out'),
      file('b', 'in'),
      file('c'),
    ),
  );

  it('of a folder is the folder, with all below it and its empty folders', () => {
    expect(plan('out')).toEqual({
      name: 'out',
      files: ['out/a', 'out/in/b'],
      emptyFolders: ['out/in/none/'],
    });
  });

  it('of several is each of them once, also where one is in another', () => {
    expect(plan('b', 'out', 'c', 'in', 'c')).toEqual({
      ...{ name: undefined, files: ['c', 'out/a', 'out/in/b'], emptyFolders: ['out/in/none/'] },
    });
  });

  it('of the top folder is all of the drive', () => {
    expect(plan('').files).toEqual(['c', 'out/a', 'out/in/b']);
  });

  it('is nothing of what is in the trash, or was purged', async () => {
    await write({ kind: 'trash', entry: id('in'), atMs: 1 }, { kind: 'purge', entry: id('a') });
    expect(plan('out')).toEqual({ name: 'out', files: [], emptyFolders: ['out/'] });
    expect(() => plan('a')).toThrow(expect.objectContaining({ code: 'not_found' }) as Error);
  });
});

it('a folder of names that come to the same on some system has all of them', async () => {
  await write(folder('f'), ...['x?', 'X?', 'x_'].map((name) => file(name, 'f')));
  expect(plan('f').files).toEqual(['f/X_ (3)', 'f/x_', 'f/x_ (2)'].sort());
});

it('a folder of fifty levels stays as it is; one that no system could unpack begins anew at the top', async () => {
  const names = Array.from({ length: 50 }, (_, level) => `level ${String(level)}`);
  await write(...names.map((name, level) => folder(name, names[level - 1])), file('bottom', names.at(-1)));
  expect(plan('level 0').files).toEqual([`${names.join('/')}/bottom`]);
  const long = Array.from({ length: 40 }, (_, level) => `${'w'.repeat(240)} ${String(level)}`);
  await write(...long.map((name, level) => folder(name, long[level - 1])), file('deep', long.at(-1)));
  const [path = ''] = plan(long[0]!).files;
  expect(path.endsWith('/deep') && utf8(path).length <= 4000).toBe(true);
});

it('the time of a file is one that a zip can say', async () => {
  const at = (modifiedAtMs: number): Operation => ({
    ...{ kind: 'file-add', file: id(`t${String(++count)}`), folder: '', name: `t${String(count)}` },
    version: { ...versionOf(count), modifiedAtMs },
  });
  await write(at(0), at(Date.UTC(2026, 10, 29)), at(Date.UTC(9000, 0)));
  const years = planZip(world.journal.state, ['']).files.map(({ modifiedAtMs }) =>
    new Date(modifiedAtMs).getFullYear(),
  );
  expect(years).toEqual([1980, 2026, 2107]);
});
