import { flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import LoadedSwitch from './LoadedSwitch.svelte';
import { mounts, seen } from './mounted.svelte.ts';

const STYLES = 'data:text/css,';
const settled = async () => {
  await new Promise((resolve) => setTimeout(resolve));
  flushSync();
};

afterEach(() => {
  for (const link of document.head.querySelectorAll('link[data-test]')) link.remove();
});

/** A part that does not load until the test says so. */
function part() {
  let isThere = false;
  const load = vi.fn(() =>
    isThere
      ? import('../../../src/lib/ui/controls/Switch.svelte')
      : Promise.reject(new TypeError('Failed to fetch dynamically imported module')),
  );
  const onclose = vi.fn();
  const target = mounts(LoadedSwitch, { load, onclose });
  return {
    ...{ target, load, onclose },
    dialog: () => target.querySelector('dialog'),
    again: async () => {
      [...target.querySelectorAll('button')].find((each) => each.textContent.trim() === 'Try again')?.click();
      await settled();
    },
    comesBack: () => (isThere = true),
  };
}

test('a part of the app that does not load says so each time, and is there once it does', async () => {
  const { target, load, dialog, again, comesBack } = part();
  await settled();
  expect(seen(dialog()!.querySelector('[role=alert]'))).toContain('Check your connection');
  const first = dialog()!.querySelector('[role=alert]');
  await again();
  expect(dialog()!.querySelector('[role=alert]')).not.toBe(first);
  expect(seen(dialog())).toContain('still doesn’t load');
  comesBack();
  await again();
  await vi.waitFor(() => {
    flushSync();
    expect(target.querySelector('input')).not.toBeNull();
  });
  expect(dialog()).toBeNull();
  expect(load).toHaveBeenCalledTimes(3);
});

test('it can be left', async () => {
  const { dialog, onclose } = part();
  await settled();
  dialog()!.querySelector<HTMLButtonElement>('[aria-label=Close]')!.click();
  expect(onclose).toHaveBeenCalledOnce();
});

test('the style sheets that did not load either are asked for again, and the others are left alone', async () => {
  const { dialog, again, comesBack } = part();
  await settled();
  const sheet = async (href: string) => {
    const link = document.createElement('link');
    Object.assign(link, { rel: 'stylesheet', href });
    link.dataset['test'] = '';
    document.head.append(link);
    await new Promise((resolve) => (link.onload = link.onerror = resolve));
    return link;
  };
  const fine = await sheet(`${STYLES}a{}`);
  const lost = await sheet('http://127.0.0.1:1/none.css');
  comesBack();
  await again();
  await vi.waitFor(() => {
    flushSync();
    expect(seen(dialog())).toContain('still doesn’t load');
  });
  expect(fine.isConnected).toBe(true);
  expect(lost.isConnected).toBe(false);
  const asked = document.head.querySelector<HTMLLinkElement>('link[href="http://127.0.0.1:1/none.css"]')!;
  asked.href = `${STYLES}b{}`;
  await new Promise((resolve) => (asked.onload = resolve));
  await again();
  await vi.waitFor(() => {
    flushSync();
    expect(dialog()).toBeNull();
  });
});
