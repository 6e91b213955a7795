import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FAMILIES, HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import { concernsCode, refusalOf, whileHalvesJoin } from '../../src/lib/ui/refusal.ts';

const NOW_MS = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('keeps what failed, and since when its waits count', () => {
  const error = new HalfkeyError('too_many_requests', 'x', { detail: { retryAfterSeconds: 7 } });
  expect(refusalOf(error)).toEqual({
    failure: { code: 'too_many_requests', detail: { retryAfterSeconds: 7 } },
    atMs: NOW_MS,
  });
});

it('leaves to the field for codes what is about the code, and all else to the form', () => {
  const codes = Object.keys(FAMILIES) as ErrorCode[];
  const concerning = codes.filter((code) => concernsCode({ failure: { code, detail: {} }, atMs: 0 }));
  expect(concerning).toEqual([
    'code_malformed',
    'code_wrong',
    'code_used',
    'code_locked',
    'backup_code_refused',
  ]);
});

it.each([
  ['takes a moment to be seen', false, 1],
  ['is over at once where no motion is wanted', true, 0],
])('the joining of the halves %s', async (_case, isReduced, timers) => {
  vi.stubGlobal('matchMedia', () => ({ matches: isReduced }));
  const joining = whileHalvesJoin();
  expect(vi.getTimerCount()).toBe(timers);
  vi.runAllTimers();
  await expect(joining).resolves.toBeUndefined();
});
