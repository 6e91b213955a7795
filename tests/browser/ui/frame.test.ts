import { expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { flushSync } from 'svelte';
import { changing, mounts } from './mounted.svelte.ts';
import WholeFrame from './WholeFrame.svelte';

const box = (root: Element, selector: string) => root.querySelector(selector)!.getBoundingClientRect();

async function frame(width: number, height: number, props: Record<string, unknown> = {}) {
  await page.viewport(width, height);
  const all = changing(props);
  const target = mounts(WholeFrame as never, all as never);
  flushSync();
  return { target, all };
}

test.each([
  [1280, 800, 200],
  [800, 800, 64],
] as const)('at %i × %i what is beside the page is %i wide', async (width, height, side) => {
  const { target } = await frame(width, height);
  expect(Math.round(box(target, '.side').width)).toBe(side);
  expect(target.querySelectorAll('nav[aria-label=Drive]')).toHaveLength(1);
  expect(target.querySelector('nav[aria-label=Drive] [aria-current]')?.textContent.trim()).toBe('Drive');
});

test('on a phone there are tabs below, each wide enough for a finger, and all that is left is the page’s', async () => {
  const { target } = await frame(390, 844);
  expect(target.querySelector('.side')).toBeNull();
  const tabs = [...target.querySelectorAll('nav[aria-label=Drive] a')];
  expect(tabs.map((tab) => tab.textContent.trim())).toEqual(['Drive', 'Favourites', 'Trash', 'Me']);
  for (const tab of tabs) expect(tab.getBoundingClientRect().height).toBeGreaterThanOrEqual(56);
  expect(Math.round(box(target, '.tabs').bottom)).toBe(844);
  expect(box(target, '.list').width).toBeGreaterThan(360);
  const plus = box(target, '.floats button');
  expect([plus.width, plus.height]).toEqual([56, 56]);
  expect(plus.bottom).toBeLessThan(box(target, '.tabs').top);
});

test.each([
  [1280, 800],
  [800, 800],
  [390, 844],
] as const)('at %i × %i what comes by itself moves nothing', async (width, height) => {
  const { target, all } = await frame(width, height, { hasToast: false, hasTransfers: false });
  const before = ['.list', '.top', 'h1'].map((part) => JSON.stringify(box(target, part)));
  Object.assign(all, { hasToast: true, hasTransfers: true });
  flushSync();
  expect(['.list', '.top', 'h1'].map((part) => JSON.stringify(box(target, part)))).toEqual(before);
  const { right, bottom, top } = box(target, '.transfers');
  expect(right).toBeLessThanOrEqual(box(target, '.list').right + 1);
  expect(bottom).toBeLessThanOrEqual(box(target, '.list').bottom + 1);
  expect(box(target, '.toast').bottom).toBeLessThan(top);
});

test('the details take 320 from the page where there is room, and else lie over it', async () => {
  const { target, all } = await frame(1280, 800, { hasDetails: false });
  const width = box(target, '.list').width;
  all['hasDetails'] = true;
  flushSync();
  expect(box(target, '.details').width).toBe(320);
  expect(box(target, '.list').width).toBe(width - 320);
  await page.viewport(390, 844);
  await expect.poll(() => box(target, '.details').width).toBe(390);
  expect(box(target, '.details').height).toBeLessThanOrEqual(422);
});

test('where the window is low all of the page scrolls', async () => {
  const { target } = await frame(844, 390);
  expect(document.documentElement.scrollHeight).toBe(480);
  expect(box(target, '.list').height).toBeGreaterThan(150);
});
