import '../support/relative-path.ts';
import { describe, expect, it } from 'vitest';
import {
  broughtByPicker,
  readEntries,
  takeDropped,
  type Brought,
  type BroughtEntry,
} from '../../src/lib/platform/folder-reading.ts';

/** A folder or file as a browser gives it; `undefined`: one that cannot be read. */
interface Tree {
  readonly [name: string]: Tree | string | undefined;
}

/** Chromium gives at most a hundred at a time. */
const AT_A_TIME = 100;

function entriesOf(tree: Tree): BroughtEntry[] {
  return Object.entries(tree).map(([name, content]) => {
    if (typeof content === 'object') {
      const children = entriesOf(content);
      const createReader = () => ({
        readEntries: (give: (some: BroughtEntry[]) => void) => {
          queueMicrotask(() => {
            give(children.splice(0, AT_A_TIME));
          });
        },
      });
      return { name, isDirectory: true, createReader };
    }
    const file = (give: (file: File) => void, fail: (error: unknown) => void) => {
      queueMicrotask(() => {
        if (content === undefined) fail(new DOMException('gone', 'NotFoundError'));
        else give(new File([content], name));
      });
    };
    return { name, isDirectory: false, file };
  });
}

function pathOf({ folders }: Brought, within: number | undefined): string {
  const folder = within === undefined ? undefined : folders[within];
  return folder ? `${pathOf({ folders } as Brought, folder.within)}${folder.name}/` : '';
}
const filePaths = (brought: Brought) =>
  brought.files.map(({ source, within }) => `${pathOf(brought, within)}${source.name}`);
const folderPaths = (brought: Brought) => brought.folders.map((_, index) => pathOf(brought, index));

describe('what was dropped', () => {
  it('keeps its structure, empty folders too', async () => {
    const brought = await readEntries(
      entriesOf({ 'a.txt': 'a', outer: { inner: { 'b.txt': 'b' }, empty: {}, 'c.txt': 'c' } }),
    );
    expect(filePaths(brought).sort()).toEqual(['a.txt', 'outer/c.txt', 'outer/inner/b.txt']);
    expect(folderPaths(brought).sort()).toEqual(['outer/', 'outer/empty/', 'outer/inner/']);
    expect(brought.unread).toEqual([]);
    for (const [index, { within }] of brought.folders.entries()) expect(within ?? -1).toBeLessThan(index);
  });

  it('names what cannot be read, and brings the rest', async () => {
    const locked = {
      ...{ name: 'locked', isDirectory: true },
      createReader: () => ({
        readEntries: (_give: unknown, fail: (error: unknown) => void) => {
          fail(new DOMException('no', 'NotReadableError'));
        },
      }),
    };
    const brought = await readEntries([
      ...entriesOf({ outer: { 'link.txt': undefined, 'b.txt': 'b' } }),
      locked,
    ]);
    expect([filePaths(brought), [...brought.unread].sort()]).toEqual([
      ['outer/b.txt'],
      ['locked', 'outer/link.txt'],
    ]);
    expect(folderPaths(brought)).toEqual(['outer/']);
  });

  it('may be ten thousand files in one folder, in their order', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `${String(index)}.txt`);
    const brought = await readEntries(
      entriesOf({ many: Object.fromEntries(names.map((name) => [`f${name}`, ''])) }),
    );
    expect(brought.files.map(({ source }) => source.name)).toEqual(names.map((name) => `f${name}`));
  });

  it('may be fifty levels deep; what leads back into itself ends', async () => {
    let deep: Tree = { 'bottom.txt': 'x' };
    for (let level = 50; level > 0; level--) deep = { [`level ${String(level)}`]: deep };
    const brought = await readEntries(entriesOf(deep));
    expect([brought.folders.length, brought.files.length, brought.unread]).toEqual([50, 1, []]);
    const loop: BroughtEntry & { createReader: unknown } = {
      ...{ name: 'loop', isDirectory: true },
      createReader: () => {
        const some = [[loop], []];
        return {
          readEntries: (give: (some: BroughtEntry[]) => void) => {
            give(some.shift() ?? []);
          },
        };
      },
    };
    const circle = await readEntries([loop]);
    expect([circle.folders.length, circle.unread.length]).toEqual([200, 1]);
  });

  it('is asked for within the event, also what comes from no file system', async () => {
    const [entry] = entriesOf({ 'a.txt': 'a' });
    const items = [
      { kind: 'file', webkitGetAsEntry: () => entry, getAsFile: () => null },
      { kind: 'string', webkitGetAsEntry: () => null, getAsFile: () => null },
      { kind: 'file', webkitGetAsEntry: () => null, getAsFile: () => new File(['b'], 'b.png') },
    ];
    const read = takeDropped({ items } as unknown as DataTransfer);
    items.length = 0; // After the event there is nothing.
    expect(filePaths(await read()).sort()).toEqual(['a.txt', 'b.png']);
  });
});

describe('what a picker gives', () => {
  const at = (path: string) =>
    Object.defineProperty(new File([''], path.split('/').at(-1) ?? ''), 'webkitRelativePath', {
      value: path.includes('/') ? path : '',
    });

  it('is put together by its paths', () => {
    const brought = broughtByPicker([
      at('outer/a.txt'),
      at('outer/inner/b.txt'),
      at('outer/inner/c.txt'),
      at('d.txt'),
    ]);
    expect(filePaths(brought)).toEqual(['outer/a.txt', 'outer/inner/b.txt', 'outer/inner/c.txt', 'd.txt']);
    expect(folderPaths(brought)).toEqual(['outer/', 'outer/inner/']);
  });
});
