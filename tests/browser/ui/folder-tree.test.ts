import { flushSync } from 'svelte';
import { expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { TreeFolder } from '../../../src/lib/protocol/drive.ts';
import FolderTree from '../../../src/lib/ui/drive/FolderTree.svelte';
import { changing, mounts } from './mounted.svelte.ts';

const nothing = () => undefined;

/** Names of folders, and what is in each: an id is its name. */
type Folders = Readonly<Record<string, readonly string[]>>;
const DRIVE: Folders = {
  '': ['Norway', 'Tax', 'Zoo'],
  Norway: ['Bergen', 'Oslo'],
  Oslo: ['Museums'],
};

function reading(folders: Folders) {
  return vi.fn((folder: string): Promise<readonly TreeFolder[]> =>
    Promise.resolve(
      (folders[folder] ?? []).map((name) => ({ folder: name, name, hasFolders: name in folders })),
    ),
  );
}

async function tree(props: Partial<Parameters<typeof FolderTree>[1]> = {}, folders = DRIVE) {
  const readFolders = reading(folders);
  const all = changing({ readFolders, revision: 1, path: [] as string[], onmove: nothing, ...props });
  const target = mounts(FolderTree as never, all as never);
  const names = () =>
    [...target.querySelectorAll('[role=treeitem]')].map((item) => item.textContent.trim()).join(' ');
  await expect.poll(names).not.toBe('');
  const item = (name: string) => target.querySelector<HTMLElement>(`[role=treeitem][title="${name}"]`)!;
  return { target, names, item, props: all, readFolders };
}

test('one Tab leads into the tree, and the arrows go about in it', async () => {
  const { target, names, item } = await tree();
  expect(target.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
  await userEvent.keyboard('{Tab}');
  expect(document.activeElement).toBe(item('Norway'));
  await userEvent.keyboard('{ArrowDown}{ArrowDown}');
  expect(document.activeElement).toBe(item('Zoo'));
  await userEvent.keyboard('{Home}{ArrowRight}');
  await expect.poll(names).toBe('Norway Bergen Oslo Tax Zoo');
  expect(item('Norway').getAttribute('aria-expanded')).toBe('true');
  await userEvent.keyboard('{ArrowRight}');
  expect(document.activeElement).toBe(item('Bergen'));
  await userEvent.keyboard('{ArrowLeft}');
  expect(document.activeElement).toBe(item('Norway'));
  await userEvent.keyboard('{ArrowLeft}');
  expect(names()).toBe('Norway Tax Zoo');
  await userEvent.keyboard('z');
  expect(document.activeElement).toBe(item('Zoo'));
  expect(target.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
});

test('each line says how deep it stands, and among how many', async () => {
  const { item } = await tree({ path: ['Norway', 'Oslo', 'Museums'] });
  await expect.poll(() => item('Museums')).not.toBeNull();
  const said = ['aria-level', 'aria-posinset', 'aria-setsize', 'aria-current'].map((name) =>
    [item('Oslo'), item('Museums')].map((line) => line.getAttribute(name)),
  );
  expect(said).toEqual([
    ['2', '3'],
    ['2', '1'],
    ['2', '1'],
    [null, 'page'],
  ]);
});

test('nothing is read that nobody has opened, and what is open is read again after a change', async () => {
  const { props, readFolders, item } = await tree();
  expect(readFolders.mock.calls).toEqual([['']]);
  item('Norway').querySelector<HTMLElement>('.fold')!.click();
  await expect.poll(() => item('Bergen')).not.toBeNull();
  readFolders.mockClear();
  readFolders.mockImplementation(() => Promise.resolve([]));
  props.revision = 2;
  flushSync();
  expect(readFolders.mock.calls).toEqual([[''], ['Norway']]);
  await expect.poll(() => item('Norway')).toBeNull();
});

test('a folder that does not load can be opened again', async () => {
  const { readFolders, item } = await tree();
  readFolders.mockRejectedValueOnce(new Error('away'));
  item('Norway').querySelector<HTMLElement>('.fold')!.click();
  await expect.poll(() => item('Norway').getAttribute('aria-expanded')).toBe('false');
  item('Norway').querySelector<HTMLElement>('.fold')!.click();
  await expect.poll(() => item('Bergen')).not.toBeNull();
});

test('a folder that is said to be in itself ends there', async () => {
  const { names } = await tree(
    { path: ['Loop', 'In', 'Loop'] },
    { '': ['Loop'], Loop: ['In'], In: ['Loop'] },
  );
  await expect.poll(names).toBe('Loop In');
});

test('of a thousand folders some are listed, and how many more there are', async () => {
  const many = Array.from({ length: 1000 }, (_, index) => `F${String(index)}`);
  const { target } = await tree({}, { '': many });
  expect(target.querySelectorAll('[role=treeitem]')).toHaveLength(201);
  expect(target.querySelector('.more')?.textContent).toBe('800 more folders in “Drive”');
});

test('entries that are dropped on a folder go there; anything else that is dropped does not', async () => {
  const onmove = vi.fn();
  const { item } = await tree({ onmove });
  const drop = (type: string, data: string) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData(type, data);
    const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
    item('Tax').dispatchEvent(event);
    return event.defaultPrevented;
  };
  const entry = 'abcdefghijklmnopqrstuv';
  expect(drop('application/x-halfkey-entries', JSON.stringify([entry]))).toBe(true);
  expect(onmove.mock.calls).toEqual([[[entry], 'Tax', 'Tax']]);
  expect(drop('text/plain', JSON.stringify([entry]))).toBe(false);
  for (const data of ['', 'x', '{}', '[1]']) drop('application/x-halfkey-entries', data);
  expect(onmove).toHaveBeenCalledTimes(1);
});
