import { flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import type { Crumb, SearchFilter } from '../../../src/lib/protocol/drive.ts';
import Crumbs from '../../../src/lib/ui/drive/Crumbs.svelte';
import SearchField from '../../../src/lib/ui/drive/SearchField.svelte';
import SearchFilters from '../../../src/lib/ui/drive/SearchFilters.svelte';
import { changing, mounts } from './mounted.svelte.ts';

const nothing = () => undefined;
const way = (...names: string[]): Crumb[] =>
  ['Drive', ...names].map((name, index) => ({ folder: index === 0 ? '' : `id${String(index)}`, name }));

afterEach(() => {
  document.documentElement.style.fontSize = '';
});

function crumbs(props: Partial<Parameters<typeof Crumbs>[1]>) {
  const onbetween = vi.fn<(between: readonly Crumb[]) => void>();
  const all = changing({
    crumbs: way('Norway', '2026'),
    isNarrow: false,
    isMenuOpen: false,
    onbetween,
    onmove: nothing,
    ...props,
  });
  const target = mounts(Crumbs as never, all as never);
  return {
    ...{ target, all, onbetween },
    links: () => [...target.querySelectorAll('a')].map((link) => link.textContent.trim()),
    button: () => target.querySelector<HTMLElement>('button'),
  };
}

test('each folder above is a link, and the one that is looked at is the heading', async () => {
  await page.viewport(1280, 800);
  const { target, links, button } = crumbs({});
  expect(links()).toEqual(['Drive', 'Norway']);
  expect([...target.querySelectorAll('a')].map((link) => link.getAttribute('href'))).toEqual([
    '/',
    '/folder/id1',
  ]);
  expect(target.querySelector('nav[aria-label=Folder] ol h1[tabindex="-1"]')?.textContent).toBe('2026');
  expect(button()).toBeNull();
});

test('where there is no room the middle folds into a menu, as little of it as it takes', async () => {
  await page.viewport(1000, 800);
  const names = Array.from({ length: 12 }, (_, index) => `Folder number ${String(index + 1)}`);
  const { target, links, button, onbetween } = crumbs({ crumbs: way(...names) });
  await expect.poll(button).not.toBeNull();
  const list = target.querySelector('ol')!;
  await expect.poll(() => list.scrollWidth - list.clientWidth).toBe(0);
  const seen = links();
  expect(seen[0]).toBe('Drive');
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.at(-1)).toBe('Folder number 11');
  button()!.click();
  const between = onbetween.mock.calls[0]![0].map(({ name }) => name);
  // In the menu are just those that are missing.
  expect(['Drive', ...between, ...seen.slice(1)]).toEqual(['Drive', ...names.slice(0, -1)]);

  await page.viewport(500, 800);
  await expect.poll(() => links().length).toBeLessThan(seen.length);
  await page.viewport(1000, 800);
  await expect.poll(links).toEqual(seen);
});

test('folders above give way before the name of the one that is looked at is shortened', async () => {
  await page.viewport(500, 800);
  const { target, links, button } = crumbs({
    crumbs: way('Norway', '2026', 'A rather long name of a folder'),
  });
  await expect.poll(button).not.toBeNull();
  const name = target.querySelector('h1')!;
  await expect.poll(() => name.scrollWidth - name.clientWidth).toBe(0);
  expect(links().length).toBeLessThan(3);
});

test('a search field has room for its picture with text of twice the size', () => {
  document.documentElement.style.fontSize = '32px';
  const target = mounts(SearchField, { search: '', onsearch: nothing });
  const field = target.querySelector('input')!;
  const textLeft = field.getBoundingClientRect().left + parseFloat(getComputedStyle(field).paddingLeft);
  expect(target.querySelector('svg')!.getBoundingClientRect().right).toBeLessThan(textLeft);
});

test('a name that is longer than the room is shortened, and nothing stands out of the window', async () => {
  await page.viewport(390, 844);
  document.documentElement.style.fontSize = '32px';
  const { target } = crumbs({ crumbs: way('W'.repeat(200), 'W'.repeat(255)) });
  await expect.poll(() => document.documentElement.scrollWidth).toBeLessThanOrEqual(390);
  const { left, right } = target.querySelector('h1')!.getBoundingClientRect();
  expect(left).toBeGreaterThanOrEqual(0);
  expect(right).toBeLessThanOrEqual(390);
  expect(right - left).toBeGreaterThan(60);
});

test('on a phone there is the way up, and the name', () => {
  const { target, links } = crumbs({ isNarrow: true });
  expect(links()).toEqual(['']);
  expect(target.querySelector('a')?.getAttribute('aria-label')).toBe('Up to Norway');
  expect(target.querySelector('h1')?.textContent).toBe('2026');
});

test('at the top there is no way up', () => {
  expect(crumbs({ isNarrow: true, crumbs: way() }).links()).toEqual([]);
});

test('names show what hides in them', () => {
  const { target } = crumbs({ crumbs: way('a\u202Eb', 'c\u202Ed') });
  expect(target.textContent).not.toContain('\u202E');
  expect(target.querySelector('h1')?.textContent).toBe('c[U+202E]d');
});

test('the field is named and described, and Escape empties it', () => {
  const onsearch = vi.fn();
  const input = mounts(SearchField, { search: 'x', onsearch }).querySelector('input')!;
  expect(document.querySelector(`label[for="${input.id}"]`)?.textContent).toBe('Search your drive');
  expect(document.getElementById(input.getAttribute('aria-describedby')!)?.textContent).toBe('Filter files');
  input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
  expect(onsearch.mock.calls).toEqual([['']]);
});

function filters(props: Partial<Parameters<typeof SearchFilters>[1]> = {}) {
  const [onwithin, onclear] = [vi.fn(), vi.fn()];
  const all = changing({
    filter: undefined as SearchFilter | undefined,
    folderName: 'Norway',
    isWithin: false,
    onfilter: (filter: SearchFilter | undefined) => {
      all.filter = filter;
      flushSync();
    },
    onwithin,
    onclear,
    ...props,
  });
  const target = mounts(SearchFilters as never, all as never);
  const choose = (label: string, value: string) => {
    const select = target.querySelector<HTMLSelectElement>(`select[aria-label="${label}"]`)!;
    select.value = value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
    flushSync();
  };
  return { target, all, choose, onwithin, onclear };
}

test('a search is kept to the folder by a button that says whether it is', () => {
  const { target, all, onwithin } = filters();
  const chip = target.querySelector<HTMLElement>('button[aria-pressed]')!;
  expect(chip.textContent.trim()).toBe('Only in Norway');
  expect(chip.getAttribute('aria-pressed')).toBe('false');
  chip.click();
  expect(onwithin.mock.calls).toEqual([[true]]);
  all.isWithin = true;
  flushSync();
  expect(chip.getAttribute('aria-pressed')).toBe('true');
  chip.click();
  expect(onwithin.mock.calls.at(-1)).toEqual([false]);
});

test('at the top there is nothing to keep it to', () => {
  expect(filters({ folderName: undefined }).target.querySelector('[aria-pressed]')).toBeNull();
});

test('filters go together, and each can be taken back', () => {
  const { all, choose, target } = filters();
  choose('Kind', 'image');
  expect(all.filter).toEqual({ kind: 'image' });
  choose('Size', '10000000');
  const before = Date.now();
  choose('Added', '7');
  expect(all.filter).toMatchObject({ kind: 'image', minBytes: 10_000_000 });
  expect(Math.abs(before - 7 * 86_400_000 - all.filter!.sinceMs!)).toBeLessThan(1000);
  choose('Kind', '');
  choose('Size', '');
  expect(Object.keys(all.filter!)).toEqual(['sinceMs']);
  choose('Added', '');
  expect(all.filter).toBeUndefined();
  for (const select of target.querySelectorAll('select')) expect(select.selectedIndex).toBe(0);
});
