import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DragPresence } from '../../src/lib/ui/drive/drag-presence.ts';

const shown: boolean[] = [];
let presence: DragPresence;

beforeEach(() => {
  vi.useFakeTimers();
  shown.length = 0;
  presence = new DragPresence((isThere) => void shown.push(isThere));
});
afterEach(() => {
  vi.useRealTimers();
});

test('is said once for as long as the drag says that it is there, however slow the browser', () => {
  for (const everyMs of [50, 350, 550]) {
    for (let times = 0; times < 10; times++) {
      presence.see();
      vi.advanceTimersByTime(everyMs);
    }
  }
  expect(shown).toEqual([true]);
});

test('ends by itself when nothing says any more that it is there: nobody tells that a drag was called off', () => {
  presence.see();
  vi.advanceTimersByTime(5_000);
  expect(shown).toEqual([true, false]);
  presence.see();
  expect(shown).toEqual([true, false, true]);
});

test('ends at once with a drop, and then says nothing more', () => {
  presence.see();
  presence.end();
  presence.end();
  vi.advanceTimersByTime(5_000);
  expect(shown).toEqual([true, false]);
});
