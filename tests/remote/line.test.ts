import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { canTellLine, isMetered, onLineChange } from '../../src/lib/remote/line.ts';

let page: EventTarget;

beforeEach(() => {
  page = new EventTarget();
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a line', () => {
  it.each<[object, boolean, boolean]>([
    [{ type: 'cellular', saveData: false }, true, true],
    [{ type: 'wifi', saveData: false }, true, false],
    [{ type: 'wifi', saveData: true }, true, true],
    [{ saveData: false }, true, false],
    [{}, false, false],
  ])('that the browser tells as %j is told apart: %s, and costs by the byte: %s', (connection, can, is) => {
    vi.stubGlobal('navigator', { connection });
    expect([canTellLine(), isMetered()]).toEqual([can, is]);
  });

  it('that the browser says nothing of costs nothing', () => {
    vi.stubGlobal('navigator', {});
    expect([canTellLine(), isMetered()]).toEqual([false, false]);
  });

  it('may be another when the browser says so, or when the network is back, until nobody listens', () => {
    const connection = new EventTarget();
    vi.stubGlobal('navigator', { connection });
    let heard = 0;
    const stop = onLineChange(() => (heard += 1));
    connection.dispatchEvent(new Event('change'));
    page.dispatchEvent(new Event('online'));
    expect(heard).toBe(2);
    stop();
    connection.dispatchEvent(new Event('change'));
    page.dispatchEvent(new Event('online'));
    expect(heard).toBe(2);
  });
});
