import { afterEach, expect, it, vi } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { failureOf, isAbort } from '../../src/lib/platform/crypto-worker.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('tells the console of what nobody meant to be thrown, and of nothing else', () => {
  const consoled: unknown[] = [];
  vi.stubGlobal('reportError', (error: unknown) => consoled.push(error));
  const fault = new TypeError('x is undefined');
  expect(failureOf(new HalfkeyError('locked', 'x'))).toEqual({ code: 'locked', detail: {} });
  expect(failureOf(fault)).toEqual({ code: 'internal', detail: {} });
  expect(consoled).toEqual([fault]);
});

it.each([
  [true, new DOMException('x', 'AbortError')],
  [false, new DOMException('x', 'TimeoutError')],
  [false, new HalfkeyError('locked', 'x')],
  [false, Object.assign(new Error('x'), { name: 'AbortError' })],
])('takes for called off: %s, %s', (is, error) => {
  expect(isAbort(error)).toBe(is);
});
