import { flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import type { ErrorCode, ErrorDetail } from '../../../src/lib/errors.ts';
import CodeField from '../../../src/lib/ui/controls/CodeField.svelte';
import FailureText from '../../../src/lib/ui/controls/FailureText.svelte';
import type { Refusal } from '../../../src/lib/ui/refusal.ts';
import { changing, mounts, seen } from './mounted.svelte.ts';

afterEach(() => {
  vi.useRealTimers();
});

function refusal(code: ErrorCode, detail: ErrorDetail = {}): Refusal {
  return { failure: { code, detail }, atMs: Date.now() };
}

test('each wrong code is heard, by an alert of its own, and seen, by another text', () => {
  const props = changing({ refused: undefined as Refusal | undefined, oncomplete: () => undefined });
  const target = mounts(CodeField, props);
  const alerts = new Set<Element>();
  const texts = new Set<string>();
  for (let left = 9; left >= 1; left--) {
    props.refused = refusal('code_wrong', left <= 3 ? { triesLeft: left } : {});
    flushSync();
    const alert = target.querySelector('[role=alert]')!;
    alerts.add(alert);
    texts.add(seen(target.querySelector('.failure')));
    expect(seen(target).includes(` ${String(left)} ${left === 1 ? 'try' : 'tries'} left.`)).toBe(left <= 3);
    expect(seen(target)).toContain(alert.textContent.split('. ')[1]);
  }
  expect([alerts.size, texts.size]).toEqual([9, 9]);
  props.refused = refusal('code_locked', { retryAfterSeconds: 3600 });
  flushSync();
  expect(seen(target)).toContain('Try again in 1 hour.');
  expect(seen(target)).not.toContain('try)');
});

test.each([true, false])(
  'backup codes are named where one may stand in, and nowhere else: %s',
  (allowsBackup) => {
    const refused = refusal('code_locked', { retryAfterSeconds: 3600 });
    const target = mounts(CodeField, { refused, allowsBackup, oncomplete: () => undefined });
    const words = [seen(target.querySelector('.failure')), target.querySelector('[role=alert]')?.textContent];
    for (const each of words) expect(each?.includes('A backup code still works.')).toBe(allowsBackup);
  },
);

test('a wait is as long for the eye as for the ear, however long this text stood there for something else', () => {
  vi.useFakeTimers();
  const props = changing({ ...refusal('code_wrong') });
  const target = mounts(FailureText, props);
  vi.advanceTimersByTime(50_000);
  Object.assign(props, refusal('code_locked', { retryAfterSeconds: 3600 }));
  flushSync();
  const heard = target.querySelector('[role=alert]')!.textContent;
  expect(heard).toContain('in 1 hour.');
  expect(heard).toContain(target.querySelector('.title + p')!.textContent);
  vi.advanceTimersByTime(600_000);
  flushSync();
  expect(seen(target)).toContain('in 50 minutes.');
});

test('the same failure twice is told twice', () => {
  const props = changing({ ...refusal('passphrase_wrong') });
  const target = mounts(FailureText, props);
  const first = target.querySelector('[role=alert]');
  Object.assign(props, refusal('passphrase_wrong'));
  flushSync();
  expect(target.querySelector('[role=alert]')).not.toBe(first);
});
