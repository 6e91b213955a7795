import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { flushSync } from 'svelte';
import Toast from '../../../src/lib/ui/controls/Toast.svelte';
import { mounts } from './mounted.svelte.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function toast() {
  const [onundo, onclose] = [vi.fn(), vi.fn()];
  const target = mounts(Toast, { text: '2 items moved to Trash', onundo, onclose });
  return { target, onundo, onclose, box: target.querySelector<HTMLElement>('.toast')! };
}

const press = (key: string, options: KeyboardEventInit = {}, at: Element = document.body) =>
  at.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...options }));

test('it is there for ten seconds', () => {
  const { onclose } = toast();
  vi.advanceTimersByTime(9_999);
  expect(onclose).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onclose).toHaveBeenCalledTimes(1);
});

test.each([
  ['the pointer is over it', 'pointerenter', 'pointerleave'],
  ['the focus is in it', 'focusin', 'focusout'],
])('it stays while %s', (_, comes, goes) => {
  const { box, onclose } = toast();
  box.dispatchEvent(new Event(comes, { bubbles: true }));
  flushSync();
  vi.advanceTimersByTime(60_000);
  expect(onclose).not.toHaveBeenCalled();
  box.dispatchEvent(new Event(goes, { bubbles: true }));
  flushSync();
  vi.advanceTimersByTime(10_000);
  expect(onclose).toHaveBeenCalledTimes(1);
});

test('Ctrl+Z undoes it, and ⌘Z; nothing else does', () => {
  const { onundo } = toast();
  for (const options of [{}, { ctrlKey: true, shiftKey: true }, { ctrlKey: true, altKey: true }]) {
    press('z', options);
  }
  expect(onundo).not.toHaveBeenCalled();
  press('z', { ctrlKey: true });
  press('Z', { metaKey: true });
  expect(onundo).toHaveBeenCalledTimes(2);
});

test('what is typed in a field is undone there', () => {
  const { onundo } = toast();
  const field = document.createElement('input');
  document.body.append(field);
  press('z', { ctrlKey: true }, field);
  expect(onundo).not.toHaveBeenCalled();
});

test('its button does what it says', () => {
  const { target, onundo } = toast();
  const button = target.querySelector('button')!;
  expect(button.textContent).toBe('Undo');
  button.click();
  expect(onundo).toHaveBeenCalledTimes(1);
});

test('where nothing can be undone, nothing offers it', () => {
  const target = mounts(Toast, { text: '“a.txt” restored', onclose: () => undefined });
  expect(target.querySelector('button')).toBeNull();
});
