import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Announcer } from '../../../src/lib/state/announcer.svelte.ts';
import Dialog from '../../../src/lib/ui/controls/Dialog.svelte';
import Announced from './Announced.svelte';
import { changing, mounts } from './mounted.svelte.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const components = import.meta.glob<string>('/src/**/*.svelte', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** What a dialog tells a screen reader by itself. */
const heardIn = (dialog: Element) =>
  [...dialog.querySelectorAll('[aria-live=polite], [role=alert]')]
    .map(({ textContent }) => textContent.trim())
    .filter((text) => text !== '');

function say(announcer: Announcer, sentence: string): void {
  announcer.say(sentence);
  vi.advanceTimersByTime(1_000);
  flushSync();
}

test('what is said to the page while a dialog makes it inert is said in the dialog, and nothing of before', () => {
  const announcer = new Announcer();
  say(announcer, 'Said before.');
  const warned: { warning: string | undefined } = { warning: 'Warned of before' };
  const props = changing({
    ...warned,
    announcements: announcer,
    isCovered: false,
    component: Dialog as never,
    props: { title: 'Settings', onclose: () => undefined, children: () => undefined },
  });
  const target = mounts(Announced, props);
  props.isCovered = true;
  flushSync();
  const dialog = target.querySelector('dialog')!;
  expect(dialog.matches(':modal')).toBe(true);
  expect(heardIn(dialog)).toEqual([]);
  say(announcer, '“a.txt” was uploaded.');
  expect(heardIn(dialog)).toEqual(['“a.txt” was uploaded.']);
  props.warning = '“b.txt” was not downloaded';
  flushSync();
  expect(heardIn(dialog)).toEqual(['“a.txt” was uploaded.', '“b.txt” was not downloaded. Try again.']);
  expect(dialog.querySelector('[role=alert]')!.checkVisibility()).toBe(true);
  props.warning = undefined;
  flushSync();
  expect(heardIn(dialog)).toEqual(['“a.txt” was uploaded.']);
});

test('there is no dialog that is made without it', () => {
  const withDialogs = Object.entries(components).filter(([, source]) => source.includes('<dialog'));
  expect(withDialogs.map(([path]) => path)).toEqual(['/src/lib/ui/controls/Dialog.svelte']);
});
