import { describe, expect, it } from 'vitest';
import { noticeOf, type DroppedChange } from '../../src/lib/state/dropped-changes.ts';

const NOW_MS = 1_770_000_000_000;

function dropped(name: string, code: 'not_found' | 'head_changed' | 'device_state_lost' = 'not_found') {
  return { kind: 'change-dropped', name, failure: { code, detail: {} } } as const satisfies DroppedChange;
}

describe('changes that were given up', () => {
  it('says of one which name was wanted, and why it is not there', () => {
    const change = dropped('a.txt', 'head_changed');
    expect(noticeOf([change], NOW_MS)).toEqual({
      tried: 'No file was renamed to “a.txt”',
      reason: { failure: change.failure, atMs: NOW_MS },
    });
  });

  it.each([
    [2, '“1” or “2”'],
    [3, '“1”, “2”, or “3”'],
    [4, '“1”, “2”, “3”, or 1 other name'],
    [9, '“1”, “2”, “3”, or 6 other names'],
  ])('names %i of them, or counts them', (count, names) => {
    const all = Array.from({ length: count }, (_, index) => dropped(String(index + 1)));
    expect(noticeOf(all, NOW_MS)).toEqual({
      tried: `No file was renamed to ${names}`,
      reason: expect.stringContaining('other devices') as string,
    });
  });

  it('asks nobody to sign in again because of a change that does not open', () => {
    const { tried, reason } = noticeOf([dropped('', 'device_state_lost')], NOW_MS);
    expect(tried).toBe('A change of a name was lost');
    expect(reason).toContain('Your files are as they were');
  });
});
