import { createRawSnippet, flushSync, type Snippet } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { EntryDetails, FileVersion, TreeFolder } from '../../../src/lib/protocol/drive.ts';
import Menu from '../../../src/lib/ui/controls/Menu.svelte';
import DetailsPane from '../../../src/lib/ui/drive/DetailsPane.svelte';
import EmptyPlace from '../../../src/lib/ui/drive/EmptyPlace.svelte';
import MoveDialog from '../../../src/lib/ui/drive/MoveDialog.svelte';
import NewFolderDialog from '../../../src/lib/ui/drive/NewFolderDialog.svelte';
import PageHead from '../../../src/lib/ui/drive/PageHead.svelte';
import PurgeDialog from '../../../src/lib/ui/drive/PurgeDialog.svelte';
import RenameDialog from '../../../src/lib/ui/drive/RenameDialog.svelte';
import SelectionBar from '../../../src/lib/ui/drive/SelectionBar.svelte';
import TagsDialog from '../../../src/lib/ui/drive/TagsDialog.svelte';
import { rowMenu, selectionMenu, type EntryDeeds } from '../../../src/routes/drive/menus.ts';
import { file, folder } from './a-list.svelte.ts';
import { changing, mounts, seen } from './mounted.svelte.ts';

const nothing = () => undefined;
const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' });

beforeEach(() => page.viewport(1280, 800));

afterEach(() => {
  document.documentElement.style.fontSize = '';
});

const TREE: Record<string, readonly string[]> = {
  '': ['Norway', 'Tax'],
  Norway: ['2025', '2026'],
  '2026': ['Oslo'],
};

/** Folders whose ids are their names. */
function folders(extra: Record<string, readonly string[]> = {}) {
  const tree = { ...TREE, ...extra };
  return (of: string): Promise<readonly TreeFolder[]> =>
    Promise.resolve(
      (tree[of] ?? []).map((name) => ({ folder: name, name, hasFolders: (tree[name] ?? []).length > 0 })),
    );
}

async function moveDialog(more: Partial<Parameters<typeof mounts>[1]> = {}) {
  const said = { onmove: vi.fn(), onclose: vi.fn(), onaddfolder: vi.fn(() => Promise.resolve('New')) };
  mounts(MoveDialog, {
    entries: ['a', 'b', 'Tax'],
    from: '',
    readFolders: folders(),
    ...said,
    ...more,
  } as never);
  await expect.element(page.getByRole('treeitem', { name: /Norway/ })).toBeVisible();
  return said;
}

test('things are moved by keys: through the tree, into what can take them', async () => {
  const said = await moveDialog();
  const focused = () => document.activeElement?.textContent.trim();
  expect(focused()).toMatch(/^Drive/);
  await userEvent.keyboard('{ArrowDown}{ArrowRight}');
  await expect.element(page.getByRole('treeitem', { name: '2026' })).toBeVisible();
  await userEvent.keyboard('{ArrowRight}{ArrowDown}');
  expect(focused()).toBe('2026');
  await expect.element(button('Move 3 items to “2026”')).toBeVisible();
  await userEvent.keyboard('{ArrowLeft}');
  expect(focused()).toBe('Norway');
  await userEvent.keyboard('{ArrowLeft}');
  await expect.poll(() => page.getByRole('treeitem', { name: '2026' }).elements()).toEqual([]);
  await userEvent.keyboard('t');
  expect(focused()).toMatch(/^Tax/);
  await userEvent.keyboard('{Enter}');
  expect(said.onmove).not.toHaveBeenCalled(); // Into itself.
  await userEvent.keyboard('{ArrowUp}{Enter}');
  expect(said.onmove).toHaveBeenCalledExactlyOnceWith('Norway', 'Norway');
  expect(said.onclose).toHaveBeenCalledTimes(1);
});

test('where things are now, and folders that are moved themselves, cannot be chosen', async () => {
  const said = await moveDialog({
    from: 'Norway',
    entries: ['Tax'],
    name: 'Tax',
    readFolders: folders({ Tax: ['Old'] }),
  });
  const item = (name: RegExp) => page.getByRole('treeitem', { name });
  expect(
    item(/Norway/)
      .element()
      .getAttribute('aria-disabled'),
  ).toBe('true');
  expect(seen(item(/Norway/).element())).toContain('It’s here now');
  expect(item(/Tax/).element().getAttribute('aria-expanded')).toBeNull();
  (item(/Tax/).element() as HTMLElement).click();
  await userEvent.click(button('Choose a folder'));
  expect(said.onmove).not.toHaveBeenCalled();
  await userEvent.click(item(/Drive/));
  await userEvent.click(button('Move 1 item to “Drive”'));
  expect(said.onmove).toHaveBeenCalledExactlyOnceWith('', 'Drive');
});

test('a folder is made on the way, and chosen', async () => {
  const tree: Record<string, readonly string[]> = {};
  const onaddfolder = vi.fn((parent: string, name: string) => {
    tree[parent] = [name];
    return Promise.resolve(name);
  });
  const said = await moveDialog({
    from: undefined,
    onaddfolder,
    readFolders: (of: string) => folders(tree)(of),
  });
  (page.getByRole('treeitem', { name: /Tax/ }).element() as HTMLElement).click();
  expect(said.onmove).not.toHaveBeenCalled();
  await userEvent.click(page.getByRole('treeitem', { name: /Norway/ }));
  await userEvent.click(button('New folder'));
  await userEvent.keyboard('Fjords{Enter}');
  await expect.element(button('Move 3 items to “Fjords”')).toBeVisible();
  expect(onaddfolder).toHaveBeenCalledExactlyOnceWith('Norway', 'Fjords');
  await expect.poll(() => document.activeElement?.textContent.trim()).toBe('Fjords');
});

test('folders that cannot be read are said so', async () => {
  mounts(MoveDialog, {
    entries: ['a'],
    from: undefined,
    readFolders: () => Promise.reject(new HalfkeyError('internal', 'no')),
    onaddfolder: () => Promise.resolve(''),
    onmove: nothing,
    onclose: nothing,
  });
  await expect.element(page.getByRole('alert')).toHaveTextContent('could not be read');
});

test('a name that is taken is said at the field, and the next one is tried', async () => {
  const taken = new HalfkeyError('already_exists', 'the folder has such a name');
  const onadd = vi.fn((name: string) => (name === 'Norway' ? Promise.reject(taken) : Promise.resolve()));
  const onclose = vi.fn();
  mounts(NewFolderDialog, { onadd, onclose });
  const field = page.getByRole('textbox', { name: 'Name' });
  await userEvent.keyboard('{Enter}');
  expect(seen(document.querySelector('.fault'))).toBe('Type a name.');
  await userEvent.keyboard('Norway{Enter}');
  await expect
    .poll(() => seen(document.querySelector('.fault')))
    .toMatch(/^There is something with this name/);
  expect(field.element().getAttribute('aria-invalid')).toBe('true');
  expect(document.querySelector('[role=alert]')).toBeNull(); // Said once.
  await userEvent.fill(field, 'Sweden');
  expect(field.element().getAttribute('aria-invalid')).toBeNull();
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => onclose.mock.calls.length).toBe(1);
  expect(onadd).toHaveBeenLastCalledWith('Sweden');
});

test('of a file’s name the ending is left alone at first, of a folder’s nothing', () => {
  const marked = (name: string, kind: 'file' | 'folder') => {
    const target = mounts(RenameDialog, { name, kind, onrename: () => Promise.resolve(), onclose: nothing });
    const { selectionStart, selectionEnd } = target.querySelector('input')!;
    return name.slice(selectionStart ?? 0, selectionEnd ?? 0);
  };
  expect(marked('letter.txt', 'file')).toBe('letter');
  expect(marked('v1.2 drafts', 'folder')).toBe('v1.2 drafts');
});

test('tags are typed, taken out and offered, and what is in the field counts', async () => {
  const onsave = vi.fn(() => Promise.resolve());
  const onclose = vi.fn();
  mounts(TagsDialog, {
    count: 2,
    tags: ['old', 'both'],
    suggestions: ['tax', 'travel', 'old'],
    onsave,
    onclose,
  });
  await userEvent.keyboard('work{Enter}');
  await userEvent.keyboard('work{Enter}');
  await userEvent.click(button('Remove old'));
  await userEvent.click(button('Add tax'));
  await userEvent.keyboard('tr');
  await expect.poll(() => page.getByRole('button', { name: /^Add ./ }).elements()).toHaveLength(1);
  await userEvent.keyboard('ip');
  await userEvent.click(button('Save'));
  expect(onsave).toHaveBeenCalledExactlyOnceWith(['work', 'tax', 'trip'], ['old']);
  await expect.poll(() => onclose.mock.calls.length).toBe(1);
});

test('tags that cannot be are said so, and nothing is saved where nothing was changed', async () => {
  const onsave = vi.fn(() => Promise.resolve());
  const onclose = vi.fn();
  mounts(TagsDialog, { count: 1, name: 'a.txt', tags: ['one'], suggestions: [], onsave, onclose });
  const field = page.getByRole('textbox');
  await userEvent.keyboard('{Enter}');
  expect(seen(document.querySelector('.fault'))).toBe('Type a tag.');
  await userEvent.fill(field, 'in\u202Evisible');
  await userEvent.click(button('Save'));
  expect(seen(document.querySelector('.fault'))).toContain('invisible');
  await userEvent.fill(field, 'x'.repeat(256));
  await userEvent.click(button('Save'));
  expect(seen(document.querySelector('.fault'))).toContain('too long');
  await userEvent.fill(field, '');
  await userEvent.click(button('Save'));
  expect(onsave).not.toHaveBeenCalled();
  expect(onclose).toHaveBeenCalledTimes(1);
});

test('a code alone deletes nothing, however long one waits: the button does', async () => {
  const onpurge = vi.fn(() => Promise.resolve());
  const onclose = vi.fn();
  mounts(PurgeDialog, { entries: ['a', 'b', 'c'], deleted: () => Promise.resolve([]), onpurge, onclose });
  expect(page.getByRole('dialog', { name: 'Delete 3 items for good?' }).elements()).toHaveLength(1);
  await userEvent.click(button('Delete for good'));
  expect(seen(document.querySelector('.state'))).toBe('Enter a code first.');
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
  const code = document.querySelector<HTMLInputElement>('[data-code]')!;
  code.value = '123456';
  code.dispatchEvent(new InputEvent('input', { bubbles: true }));
  vi.advanceTimersByTime(60_000);
  vi.useRealTimers();
  flushSync();
  expect(onpurge).not.toHaveBeenCalled();
  await userEvent.click(button('Delete for good'));
  expect(onpurge).toHaveBeenCalledExactlyOnceWith(['a', 'b', 'c'], [], { code: '123456' });
  await expect.poll(() => onclose.mock.calls.length).toBe(1);
});

test('emptying the trash can leave what is there for less than thirty days; what was deleted earlier is named', async () => {
  const onpurge = vi.fn(() => Promise.reject(new HalfkeyError('code_wrong', 'no')));
  mounts(PurgeDialog, {
    entries: ['a', 'b', 'c'],
    older: { days: 30, entries: ['c'] },
    deleted: () => Promise.resolve([{ file: 'old', name: 'old.txt', device: 'Laptop' }]),
    onpurge,
    onclose: nothing,
  });
  await userEvent.click(page.getByRole('radio', { name: 'What is there for more than 30 days (1 item)' }));
  await userEvent.click(page.getByRole('checkbox', { name: '“old.txt”, on “Laptop”' }));
  await userEvent.fill(page.getByRole('textbox', { name: 'Authenticator code' }), '123456');
  await userEvent.click(button('Delete for good'));
  expect(onpurge).toHaveBeenCalledExactlyOnceWith(['c'], ['old'], { code: '123456' });
  await expect.element(page.getByRole('alert')).toHaveTextContent('Wrong code');
});

const version = (blob: string, addedAtMs: number, more: Partial<FileVersion> = {}): FileVersion => ({
  blob,
  sizeBytes: 2_000,
  sealedBytes: 2_100,
  mediaType: 'text/plain',
  addedAtMs,
  modifiedAtMs: addedAtMs,
  digest: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
  isGone: false,
  ...more,
});
const DETAILS: EntryDetails = {
  row: file('letter.txt', { sizeBytes: 2_000, tags: ['tax'] }),
  path: [
    { folder: 'home', name: 'Home' },
    { folder: 'letters', name: 'Letters' },
  ],
  versions: [
    version('new', Date.UTC(2026, 10, 14)),
    version('old', Date.UTC(2026, 9, 1)),
    version('gone', Date.UTC(2026, 8, 1), { isGone: true }),
  ],
};

function pane(more: object = {}, tab: 'details' | 'versions' = 'details') {
  const said = {
    onclose: vi.fn(),
    onopenversion: vi.fn(),
    onrestoreversion: vi.fn(),
    onpurgeversion: vi.fn(),
  };
  const props = changing({
    details: DETAILS,
    tab,
    ontab: (tab: 'details' | 'versions') => {
      props.tab = tab;
    },
    ...said,
    ...more,
  });
  return { props, said, target: mounts(DetailsPane, props) };
}

test('details say where a file is, by links, and its digest in groups', async () => {
  const { target } = pane();
  const links = [...target.querySelectorAll('dd a')].map((link) => [
    link.textContent,
    link.getAttribute('href'),
  ]);
  expect(links).toEqual([
    ['Drive', '/'],
    ['Home', '/folder/home'],
    ['Letters', '/folder/letters'],
  ]);
  expect(seen(target)).toContain('2.0 kB (2,000 bytes)');
  expect([...target.querySelectorAll('code span')].map(({ textContent }) => textContent).slice(0, 3)).toEqual(
    ['n4bQ', 'gYhM', 'fWWa'],
  );
  const copied = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
  await userEvent.click(button('Copy'));
  expect(copied).toHaveBeenCalledWith(DETAILS.versions[0]?.digest);
  await expect.poll(() => seen(target)).toContain('Copied');
  copied.mockRestore();
});

test('versions are reached by the arrows, opened, restored and deleted; what is gone is said to be', async () => {
  const { said, target } = pane();
  target.querySelector<HTMLElement>('[role=tab]')?.focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(document.activeElement?.textContent).toBe('Versions');
  const items = [...target.querySelectorAll('li')].map(seen);
  expect(items[0]).toContain('Current');
  expect(items[2]).toContain('Deleted for good');
  expect(target.querySelectorAll('li button')).toHaveLength(3);
  for (const name of [/^Open: version of/, /^Restore as newest: version of/, /^Delete for good: version of/])
    await userEvent.click(button(name));
  for (const act of [said.onopenversion, said.onrestoreversion, said.onpurgeversion])
    expect(act).toHaveBeenCalledExactlyOnceWith(DETAILS.versions[1]);
  await userEvent.keyboard('{Escape}');
  expect(said.onclose).toHaveBeenCalledTimes(1);
});

test('a folder has no versions, and says what is below it', () => {
  const { target } = pane({
    details: { row: folder('Home'), path: [], versions: [], below: { files: 12, sizeBytes: 3_100_000 } },
    tab: 'versions',
  });
  expect(target.querySelectorAll('[role=tab]')).toHaveLength(1);
  expect(seen(target)).toContain('12 files, 3.1 MB');
});

test('details take the focus of whoever asks for them, and are of half the height on a phone', async () => {
  const { target } = pane({ takesFocus: true });
  expect(document.activeElement?.textContent).toBe('letter.txt');
  await page.viewport(390, 844);
  expect(target.querySelector('aside')!.getBoundingClientRect().height).toBe(422);
});

function deeds() {
  const said: string[] = [];
  const names = [
    'open',
    'download',
    'saveAs',
    'downloadEncrypted',
    'rename',
    'move',
    'favour',
    'tag',
    'keep',
    'showDetails',
    'trash',
    'restore',
    'purge',
  ] as const satisfies readonly (keyof EntryDeeds)[];
  const entries = names.map((name) => [
    name,
    (...args: unknown[]) => void said.push(`${name} ${JSON.stringify(args)}`),
  ]);
  return { said, deeds: Object.fromEntries(entries) as unknown as Required<EntryDeeds> };
}

test('menus offer what can be done with a file, a folder, several, and with what is in the trash', () => {
  const { deeds: all, said } = deeds();
  const labels = (items: readonly { label: string }[]) => items.map(({ label }) => label);
  const row = file('a.txt');
  expect(labels(rowMenu(row, false, all))).toEqual([
    'Open',
    'Download',
    'Save as…',
    'Download encrypted',
    'Rename…',
    'Move to…',
    'Add to favourites',
    'Tags…',
    'Keep on this device',
    'Versions',
    'Details',
    'Move to trash',
  ]);
  const { saveAs: _none, ...fewer } = all;
  expect(labels(rowMenu({ ...row, isFavourite: true, kept: 'kept' }, false, fewer))).toEqual(
    expect.arrayContaining(['Remove from favourites', 'Don’t keep on this device']),
  );
  expect(labels(rowMenu(row, false, fewer))).not.toContain('Save as…');
  expect(labels(rowMenu(folder('F'), false, all))).toEqual([
    'Open',
    'Download',
    'Rename…',
    'Move to…',
    'Add to favourites',
    'Tags…',
    'Details',
    'Move to trash',
  ]);
  const two = { entries: ['a', 'b'] };
  expect(labels(selectionMenu(two, true, false, all))).toEqual([
    'Download',
    'Move to…',
    'Remove from favourites',
    'Tags…',
    'Move to trash',
  ]);
  for (const items of [rowMenu(row, true, all), selectionMenu(two, false, true, all)])
    expect(labels(items)).toEqual(['Restore', 'Delete for good']);
  for (const { onselect } of selectionMenu(two, true, false, all)) onselect();
  expect(said).toEqual([
    'download [{"entries":["a","b"]}]',
    'move [{"entries":["a","b"]}]',
    'favour [{"entries":["a","b"]},false]',
    'tag [{"entries":["a","b"]}]',
    'trash [{"entries":["a","b"]}]',
  ]);
});

test('a menu goes by keys, and the focus comes back before anything is done', async () => {
  const { deeds: all, said } = deeds();
  const trigger = document.createElement('button');
  document.body.append(trigger);
  trigger.focus();
  const target = mounts(Menu, {
    label: 'Actions for a.txt',
    items: rowMenu(file('a.txt'), false, all),
    place: { right: 300, top: 100, bottom: 144, trigger },
    onclose: nothing,
  });
  await userEvent.keyboard('m');
  expect(document.activeElement?.textContent.trim()).toBe('Move to…');
  await userEvent.keyboard('m');
  expect(document.activeElement?.textContent.trim()).toBe('Move to trash');
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => said).toHaveLength(1);
  expect(said[0]).toMatch(/^trash/);
  expect(target.querySelector('[role=menu]')).not.toBeNull();
});

function bar(more: Partial<Parameters<typeof mounts>[1]> = {}) {
  const said = {
    onclear: vi.fn(),
    onall: vi.fn(),
    ondownload: vi.fn(),
    onmove: vi.fn(),
    onfavour: vi.fn(),
    ontrash: vi.fn(),
    onrestore: vi.fn(),
    onpurge: vi.fn(),
    onmenu: vi.fn(),
  };
  const props = changing({
    count: 2,
    isInTrash: false,
    areFavourites: false,
    isMenuOpen: false,
    ...said,
    ...more,
  });
  return { said, props, target: mounts(SelectionBar, props) };
}

test('what is selected can be acted on above the list, and restored or deleted in the trash', async () => {
  const { said, props, target } = bar();
  expect(seen(target.querySelector('p'))).toBe('2 selected');
  for (const name of ['Download', 'Move to…', 'Favourite', 'Move to trash', 'Clear selection'])
    await userEvent.click(button(name));
  expect(said.onfavour).toHaveBeenCalledExactlyOnceWith(true);
  for (const act of [said.ondownload, said.onmove, said.ontrash, said.onclear])
    expect(act).toHaveBeenCalledTimes(1);
  props.areFavourites = true;
  flushSync();
  expect(button('Favourite').element().getAttribute('aria-pressed')).toBe('true');
  await userEvent.click(button('Favourite'));
  expect(said.onfavour).toHaveBeenLastCalledWith(false);
  props.isInTrash = true;
  flushSync();
  await userEvent.click(button('Restore'));
  await userEvent.click(button('Delete for good'));
  expect([said.onrestore.mock.calls.length, said.onpurge.mock.calls.length]).toEqual([1, 1]);
  expect(button('Move to trash').elements()).toEqual([]);
});

test('Escape on the bar clears the selection, as it does in the list', async () => {
  const { said } = bar();
  button('Favourite').element().focus();
  await userEvent.keyboard('{Escape}');
  expect(said.onclear).toHaveBeenCalledTimes(1);
  expect(said.onfavour).not.toHaveBeenCalled();
});

test.each([
  [1280, 800, '', 'top'],
  [700, 800, '', 'top'],
  [390, 844, '', 'bottom'],
  [390, 844, '32px', 'bottom'],
  [320, 640, '', 'bottom'],
])('the bar is all there at %i × %i, root %s: its deeds at the %s', async (width, height, root, where) => {
  await page.viewport(width, height);
  document.documentElement.style.fontSize = root;
  const { target } = bar({ count: 12_345 });
  const boxes = [...target.querySelectorAll('button')]
    .filter((each) => each.checkVisibility())
    .map((each) => each.getBoundingClientRect());
  for (const box of boxes) {
    expect(box.left).toBeGreaterThanOrEqual(0);
    expect(box.right).toBeLessThanOrEqual(width);
    expect(box.height).toBeGreaterThanOrEqual(44);
  }
  const deed = target.querySelector('.deeds')!.getBoundingClientRect();
  if (where === 'bottom') expect(deed.bottom).toBe(height);
  else expect(deed.top).toBeLessThan(100);
});

test.each([
  [1280, 800],
  [390, 844],
])('the bar stands in the head of the page at %i × %i, and nothing below it moves', async (width, height) => {
  await page.viewport(width, height);
  const props = changing({
    title: 'Favourites',
    crumbs: [],
    isNarrow: width < 600,
    content: '64 files, 31 MB',
    menu: undefined,
    onsort: nothing,
    onbetween: nothing,
    onmove: nothing,
    selection: undefined as Snippet | undefined,
  });
  const head = mounts(PageHead, props).querySelector('.head')!;
  const before = head.getBoundingClientRect().height;
  props.selection = createRawSnippet(() => ({ render: () => '<p class="bar">2 selected</p>' }));
  flushSync();
  expect(head.getBoundingClientRect().height).toBe(before);
  if (width < 600) {
    const { left, top } = head.querySelector('h1')!.getBoundingClientRect();
    expect(document.elementFromPoint(left + 4, top + 4)?.closest('.selection')).not.toBeNull();
  }
});

test.each([
  ['folder', '', 'Nothing in here yet.', 'Choose files'],
  ['favourites', '', 'Nothing here yet. Add a file', undefined],
  ['trash', '', 'The trash is empty.', undefined],
  ['trash', 'x\u202E', 'Nothing found for “x[U+202E]”.', 'Clear search'],
  ['folder', 'x', 'Nothing found for “x”.', 'Clear search'],
] as const)('an empty place says what it is: %s %s', async (place, search, words, name) => {
  const said = { onchoose: vi.fn(), onclearsearch: vi.fn() };
  const target = mounts(EmptyPlace, { place, search, arriving: { count: 0, isMoving: false }, ...said });
  expect(seen(target)).toContain(words);
  if (name === undefined) expect(target.querySelector('button')).toBeNull();
  else {
    await userEvent.click(button(name));
    expect(said[name === 'Clear search' ? 'onclearsearch' : 'onchoose']).toHaveBeenCalledTimes(1);
  }
});
