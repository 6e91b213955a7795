import { flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import type { TransferCounts, TransferPhase, TransferReport } from '../../../src/lib/protocol/transfer.ts';
import TransfersPanel from '../../../src/lib/ui/transfers/TransfersPanel.svelte';
import { changing, mounts, seen } from './mounted.svelte.ts';

const nothing = () => undefined;

const NONE: TransferCounts = {
  ...{ all: 0, underWay: 0, resting: 0, paused: 0, waitingForCode: 0 },
  ...{ failed: 0, uploaded: 0, downloaded: 0, atRisk: 0 },
};
const DEEDS = {
  ...{ onagain: nothing, oncancel: nothing, onretry: nothing, ondismiss: nothing },
  ...{ onpause: nothing, onresume: nothing, onpauseall: nothing, onresumeall: nothing },
  ...{ ondismissdone: nothing, onunlock: nothing, ontrynow: nothing },
};
const row = (name: string, phase: TransferPhase): TransferReport => ({
  ...{ transfer: name, direction: 'up', name, phase, isSafe: true, canRetry: false },
  ...{ doneBytes: 0, totalBytes: 10, sizeBytes: 10 },
});

/** The panel with so many transfers, and what is changed of it later. */
function several(phases: readonly TransferPhase[], counts: Partial<TransferCounts>, deeds = {}) {
  const props = changing({
    transfers: phases.map((phase, index) => row(`file ${String(index)}`, phase)),
    counts: { ...NONE, all: phases.length, ...counts },
    pace: { done: 3, all: 60, doneBytes: 5, totalBytes: 10, bytesPerSecond: 12e6, secondsLeft: 5 },
    line: { wifiOnly: false, isOffline: false },
    sparedPlace: undefined,
    ...DEEDS,
    ...deeds,
  });
  const target = mounts(TransfersPanel, props);
  const rows = () =>
    [...target.querySelectorAll('li')].filter((item) => item.checkVisibility()).map((item) => seen(item));
  return { target, props, rows };
}
const named = (target: Element, name: string) => target.querySelector<HTMLElement>(`[aria-label="${name}"]`);

afterEach(() => {
  vi.useRealTimers();
});

test('several that move are one line, with how far they are together, until somebody opens it', () => {
  const { target, rows } = several(['uploading', 'waiting', 'done'], { underWay: 2, uploaded: 1 });
  expect(seen(target.querySelector('h2'))).toBe('3 of 60 · 12 MB/s · 5 s left');
  // What is done can be cleared when all is: the line has room for no more.
  expect(seen(target.querySelector('header'))).not.toContain('Clear');
  expect(rows()).toEqual([]);
  expect(named(target, 'Progress of all transfers')).not.toBeNull();
  named(target, 'Show all transfers')!.click();
  flushSync();
  expect(rows()).toHaveLength(3);
});

test('one that failed opens it, and it stays', () => {
  vi.useFakeTimers();
  const dismissed = vi.fn();
  const { rows } = several(['failed', 'done'], { failed: 1, uploaded: 1 }, { ondismissdone: dismissed });
  expect(rows()).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  expect(dismissed).not.toHaveBeenCalled();
});

test('what rests is told why in its row, and what waits for a code where the code is asked for', () => {
  expect(several(['paused', 'paused'], { resting: 2, paused: 2 }).rows()).toHaveLength(2);
  const counts = { resting: 2, waitingForCode: 2 };
  const { target, rows } = several(['waiting-for-code', 'waiting-for-code'], counts);
  expect(rows()).toEqual([]);
  expect(seen(target)).toContain('2 files are waiting for a code.');
});

test('a single one is its row', () => {
  expect(several(['uploading'], { underWay: 1 }).rows()).toHaveLength(1);
});

test('what is done is one line when it is much', () => {
  const phases: TransferPhase[] = ['failed', ...Array.from({ length: 57 }, () => 'done' as const)];
  const { rows } = several(phases, { failed: 1, uploaded: 57 });
  expect(rows()).toEqual([expect.stringContaining('Failed'), '57 done']);
});

test('what ended well goes after ten seconds, and not while somebody is at it', () => {
  vi.useFakeTimers();
  const dismissed = vi.fn();
  const phases = Array.from({ length: 60 }, () => 'done' as const);
  const { target } = several(phases, { uploaded: 60 }, { ondismissdone: dismissed });
  expect(seen(target.querySelector('h2'))).toBe('60 files uploaded');
  const panel = target.querySelector('section')!;
  panel.dispatchEvent(new PointerEvent('pointerenter'));
  flushSync();
  vi.advanceTimersByTime(60_000);
  expect(dismissed).not.toHaveBeenCalled();
  panel.dispatchEvent(new PointerEvent('pointerleave'));
  flushSync();
  vi.advanceTimersByTime(9_999);
  expect(dismissed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(dismissed).toHaveBeenCalledOnce();
});

test('all of them, and each, pause and go on', () => {
  const heard: string[] = [];
  const deeds = {
    onpauseall: () => heard.push('pause all'),
    onresumeall: () => heard.push('resume all'),
    onpause: (transfer: string) => heard.push(`pause ${transfer}`),
    onresume: (transfer: string) => heard.push(`resume ${transfer}`),
  };
  const moving = several(['uploading', 'paused'], { underWay: 1, resting: 1, paused: 1 }, deeds).target;
  named(moving, 'Pause all')!.click();
  named(moving, 'Show all transfers')!.click();
  flushSync();
  named(moving, 'Pause file 0')!.click();
  named(moving, 'Resume file 1')!.click();
  const paused = several(['paused', 'paused'], { resting: 2, paused: 2 }, deeds).target;
  expect(seen(paused.querySelector('h2'))).toBe('2 files paused');
  named(paused, 'Resume all')!.click();
  expect(heard).toEqual(['pause all', 'pause file 0', 'resume file 1', 'resume all']);
});

/** The panel with one file on its way up, as far as that. */
function panel(phase: TransferPhase, sparedPlace: 'Dock' | 'home screen' | undefined): string {
  const transfer: TransferReport = {
    ...{ transfer: 't', direction: 'up', name: 'letter.txt', phase, isSafe: true, canRetry: false },
    ...{ doneBytes: 0, totalBytes: 10, sizeBytes: 10, bytesPerSecond: undefined, secondsLeft: undefined },
  } as never;
  const props = {
    transfers: [transfer],
    counts: { ...NONE, all: 1, resting: 1 },
    pace: { done: 0, all: 1, doneBytes: 0, totalBytes: 10 },
    line: { wifiOnly: false, isOffline: true },
    sparedPlace,
    ...DEEDS,
  };
  return seen(mounts(TransfersPanel as never, props));
}

test.each([
  ['waiting-for-network', 'home screen', 'apps on your home screen'],
  ['waiting-for-network', 'Dock', 'apps in your Dock'],
] as const)(
  'a file that is %s in Safari, which spares the %s, is said to be in danger',
  (phase, place, words) => {
    expect(panel(phase, place)).toContain(
      `Safari deletes what’s stored here if you don’t open Halfkey for seven days. It doesn’t do that to ${words}.`,
    );
  },
);

test.each([
  ['waiting-for-network', undefined],
  ['uploading', 'home screen'],
  ['waiting-for-code', 'home screen'],
] as const)('nothing is said of that where a file is %s, and the spared place %s', (phase, place) => {
  expect(panel(phase, place)).not.toContain('Safari');
});

test('in a window of a few words’ width, buttons stand below what is said', async () => {
  await page.viewport(280, 640);
  const { target } = several(['waiting-for-network'], { resting: 1 });
  const words = target.querySelector('.figures')!.getBoundingClientRect();
  const buttons = target.querySelector('.actions')!.getBoundingClientRect();
  expect(buttons.top).toBeGreaterThanOrEqual(words.bottom);
  expect(words.width).toBeGreaterThan(150);
});
