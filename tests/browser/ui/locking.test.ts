import { flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { FileRow } from '../../../src/lib/protocol/drive.ts';
import type { Preview } from '../../../src/lib/protocol/transfer.ts';
import { CodePrompt } from '../../../src/lib/state/code-prompt.svelte.ts';
import { Downloads } from '../../../src/lib/state/downloads.ts';
import { DriveActions } from '../../../src/lib/state/drive-actions.svelte.ts';
import { Notice } from '../../../src/lib/state/notice.svelte.ts';
import Dialog from '../../../src/lib/ui/controls/Dialog.svelte';
import PreviewDialog from '../../../src/lib/ui/drive/PreviewDialog.svelte';
import Shortcuts from '../../../src/lib/ui/drive/Shortcuts.svelte';
import LockedOver from './LockedOver.svelte';
import { changing, mounts, seen } from './mounted.svelte.ts';

const ROW = { kind: 'file', entry: 'f', name: 'letter.txt', kept: 'no', isPending: false } as FileRow;
const TEXT: Preview = { kind: 'text', text: 'dear you' };
const nothing = () => undefined;

/** A drive of one file, whose worker answers a preview when the test says so. */
function drive() {
  const session = { phase: { phase: 'open' } };
  let answer: { resolve: (preview: Preview) => void; reject: (error: unknown) => void } | undefined;
  const worker = {
    send: vi.fn(() => new Promise((resolve, reject) => (answer = { resolve, reject }))),
  };
  const prompt = new CodePrompt(worker as never);
  const notice = new Notice();
  const downloads = new Downloads(worker as never, prompt, {} as never);
  const actions = new DriveActions({ session, prompt, notice, downloads } as never);
  return {
    actions,
    prompt,
    notice,
    lock: () => {
      session.phase.phase = 'locked';
      actions.cover();
    },
    unlock: () => {
      session.phase.phase = 'open';
      actions.uncover();
    },
    answers: async (given: Preview | HalfkeyError) => {
      await vi.waitFor(() => {
        expect(answer).toBeDefined();
      });
      if (given instanceof HalfkeyError) answer?.reject(given);
      else answer?.resolve(given);
      answer = undefined;
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
}

test('a file that is looked at is let go of when the drive is locked, and comes again after a code', async () => {
  const { actions, lock, unlock, answers } = drive();
  actions.preview(ROW);
  await answers(TEXT);
  expect(actions.sheet).toMatchObject({ preview: TEXT, isCovered: false });
  lock();
  expect(actions.sheet).toEqual({ kind: 'preview', row: ROW, preview: undefined, isCovered: true });
  unlock();
  await answers(TEXT);
  expect(actions.sheet).toMatchObject({ preview: TEXT, isCovered: false });
});

test('a file that was on its way when the drive was locked is not shown, and no second code is asked for', async () => {
  for (const given of [TEXT, new HalfkeyError('locked', 'no grant')]) {
    const { actions, prompt, notice, lock, answers } = drive();
    actions.preview(ROW);
    lock();
    await answers(given);
    expect(actions.sheet).toMatchObject({ preview: undefined, isCovered: true });
    expect(prompt.purpose).toBeUndefined();
    expect(notice.noticed).toBeUndefined();
  }
});

test('a file that arrives in a drive that is locked by then is covered', async () => {
  const { actions, prompt, lock, answers } = drive();
  lock();
  actions.preview(ROW);
  await answers(new HalfkeyError('locked', 'no grant'));
  expect(prompt.purpose).toContain('letter.txt');
  prompt.proceed(); // The code was right, and the drive is locked again before the file is here.
  await answers(TEXT);
  expect(actions.sheet).toMatchObject({ preview: undefined, isCovered: true });
});

test('what covers a file is the two halves and a field for a code, which has the focus; afterwards the file has it', () => {
  const props = changing({
    name: 'letter.txt',
    preview: TEXT,
    isCovered: false,
    onunlock: () => Promise.resolve(),
    onunlocked: nothing,
    ondownload: nothing,
    onclose: nothing,
  });
  const target = mounts(PreviewDialog, props);
  expect(seen(target)).toContain('dear you');
  Object.assign(props, { preview: undefined, isCovered: true });
  flushSync();
  expect(target.innerHTML).not.toContain('dear you');
  expect(seen(target.querySelector('[role=alert]'))).toMatch(/^Locked/);
  expect(target.querySelector('dialog svg.apart')).not.toBeNull();
  expect(document.activeElement).toBe(target.querySelector('[autocomplete=one-time-code]'));
  Object.assign(props, { preview: TEXT, isCovered: false });
  flushSync();
  expect(seen(target)).toContain('dear you');
  expect(target.querySelector('.content')?.contains(document.activeElement)).toBe(true);
});

afterEach(() => {
  vi.useRealTimers();
});

test('the lock is within reach in a dialog, for the hand and for the key', () => {
  const lock = vi.fn();
  const target = mounts(LockedOver, {
    openUntilMs: Date.now() + 60_000,
    lock,
    component: Dialog,
    props: { title: 'Settings', onclose: nothing, children: nothing },
  });
  const others = vi.fn();
  const keys = { onupload: others, onnewfolder: others, onsearch: others, ondetails: others, onhelp: others };
  mounts(Shortcuts, { isOn: true, onlock: lock, ...keys });
  const dialog = target.querySelector('dialog')!;
  expect(dialog.matches(':modal')).toBe(true);
  expect(document.activeElement?.tagName).toBe('H2'); // Not what locks.
  [...dialog.querySelectorAll('button')].find((each) => each.textContent.trim() === 'Lock now')?.click();
  expect(lock).toHaveBeenCalledTimes(1);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  /** A letter that stands alone. */
  const press = (key: string, on: Element) => {
    on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    vi.advanceTimersByTime(1_000);
  };
  press('l', dialog.querySelector('button')!);
  press('l', document.body); // What had the focus may be gone.
  expect(lock).toHaveBeenCalledTimes(3);
  for (const key of ['u', 'n', 'i', '/', '?']) press(key, document.body);
  expect(others).not.toHaveBeenCalled();
  const field = document.createElement('input');
  dialog.append(field);
  press('l', field);
  expect(lock).toHaveBeenCalledTimes(3);
});
