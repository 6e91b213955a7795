import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
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
  it('stays until it is dismissed, whatever goes well meanwhile', async () => {
    const notice = new Notice();
    notice.show({ tried: 'a', reason: 'because' });
    await notice.watch('b', () => Promise.resolve());
    expect(notice.noticed?.tried).toBe('a');
    notice.dismiss();
    expect(notice.noticed).toBeUndefined();
  });

  it('gives way to what is noticed later', () => {
    const notice = new Notice();
    for (const tried of ['a', 'b']) notice.show({ tried, reason: 'because' });
    expect(notice.noticed?.tried).toBe('b');
  });
});
