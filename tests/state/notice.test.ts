import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError, type ErrorCode, type ErrorDetail } from '../../src/lib/errors.ts';
import { Notice } from '../../src/lib/state/notice.svelte.ts';

const NOW_MS = 1_800_000_000_000;
let consoled: unknown[];

beforeEach(() => {
  consoled = [];
  vi.useFakeTimers({ now: NOW_MS });
  vi.stubGlobal('reportError', (error: unknown) => consoled.push(error));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('an action that fails', () => {
  it('is noticed: what was tried, why and when', async () => {
    const notice = new Notice();
    const error = new HalfkeyError('too_many_requests', 'x', { detail: { retryAfterSeconds: 7 } });
    await notice.watch('The drive was not locked', () => Promise.reject(error));
    expect(notice.noticed).toEqual({
      tried: 'The drive was not locked',
      reason: { failure: { code: 'too_many_requests', detail: { retryAfterSeconds: 7 } }, atMs: NOW_MS },
    });
    expect(consoled).toEqual([]);
  });

  it('by a fault of ours is internal, and the console hears of it', async () => {
    const notice = new Notice();
    const error = new TypeError('x is undefined');
    await notice.watch('It was not done', () => Promise.reject(error));
    expect(notice.noticed).toMatchObject({ reason: { failure: { code: 'internal' } } });
    expect(consoled).toEqual([error]);
  });

  it('because somebody called it off is not noticed, nor is one that went well', async () => {
    const notice = new Notice();
    await notice.watch('It was not saved', () => Promise.reject(new DOMException('no', 'AbortError')));
    await notice.watch('It was not saved', () => Promise.resolve());
    expect(notice.noticed).toBeUndefined();
  });
});

describe('what was noticed', () => {
  const failed = async (code: ErrorCode, detail: ErrorDetail = {}) => {
    const notice = new Notice();
    await notice.watch('a', () => Promise.reject(new HalfkeyError(code, 'x', { detail })));
    return notice;
  };

  it.each(['store_unreachable', 'device_full', 'digest_mismatch'] as const)(
    'for %s goes when the same goes well, whatever else did before',
    async (code) => {
      const notice = await failed(code);
      await notice.watch('b', () => Promise.resolve());
      await notice.watch('a', () => Promise.reject(new DOMException('no', 'AbortError')));
      expect(notice.noticed?.tried).toBe('a');
      await notice.watch('a', () => Promise.resolve());
      expect(notice.noticed).toBeUndefined();
    },
  );

  it('in the course of what then goes well stays', async () => {
    const notice = new Notice();
    await notice.watch('a', () => {
      notice.show({ tried: 'a', reason: 'because' });
      return Promise.resolve();
    });
    expect(notice.noticed?.tried).toBe('a');
  });

  it.each([
    ['too_many_requests', { retryAfterSeconds: 7 }, 7_000],
    ['too_many_requests', {}, 60_000],
    ['code_locked', { retryAfterSeconds: 3600 }, 3_600_000],
  ] as const)('for %s, %j, goes when the wait is over', async (code, detail, waitMs) => {
    const notice = await failed(code, detail);
    vi.advanceTimersByTime(waitMs - 1);
    expect(notice.noticed).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(notice.noticed).toBeUndefined();
  });

  it('is not taken for what was noticed after it', async () => {
    const notice = await failed('too_many_requests', { retryAfterSeconds: 7 });
    notice.show({ tried: 'b', reason: 'because' });
    vi.advanceTimersByTime(7_000);
    expect(notice.noticed?.tried).toBe('b');
  });

  it('gives way to what is noticed later', () => {
    const notice = new Notice();
    for (const tried of ['a', 'b']) notice.show({ tried, reason: 'because' });
    expect(notice.noticed?.tried).toBe('b');
  });
});
