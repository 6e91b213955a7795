import { flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import LoadedSwitch from './LoadedSwitch.svelte';
import { mounts, seen } from './mounted.svelte.ts';

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

test('a style sheet that did not load is asked for again, and nothing goes on without it', async () => {
  const styles = () => URL.createObjectURL(new Blob(['a {}'], { type: 'text/css' }));
  const gone = styles();
  URL.revokeObjectURL(gone);
  const links = () => [...document.head.querySelectorAll<HTMLLinkElement>('link[data-test]')];
  /** As Vite does: asks for the sheet at the first time alone. */
  const load = async () => {
    if (links().length === 0) {
      const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: gone });
      link.dataset['test'] = '';
      document.head.append(link);
      await new Promise((_resolve, reject) => (link.onerror = reject));
    }
    return import('../../../src/lib/ui/controls/Switch.svelte');
  };
  const target = mounts(LoadedSwitch, { load, onclose: () => undefined });
  const dialogSays = (text: string) =>
    vi.waitFor(() => {
      flushSync();
      expect(seen(target.querySelector('dialog'))).toContain(text);
    });
  const again = () => {
    [...target.querySelectorAll('button')].find((each) => each.textContent.trim() === 'Try again')?.click();
  };
  await dialogSays('Check your connection');
  again();
  await dialogSays('still doesn’t load');
  links()[0]!.href = styles();
  again();
  await vi.waitFor(() => {
    flushSync();
    expect(target.querySelector('input')).not.toBeNull();
  });
  expect(links()).toHaveLength(1);
});
