import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { canTellLine, isLineAllowed, onLineChange } from '../src/lib/line.ts';

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
  it.each<[object, boolean]>([
    [{ connection: { type: 'cellular', saveData: false } }, false],
    [{ connection: { type: 'wifi', saveData: false } }, true],
    [{ connection: { type: 'wifi', saveData: true } }, false],
    [{ connection: { saveData: false } }, true],
    [{ connection: {} }, true],
    [{}, true],
  ])('that the browser tells as %j may be used where people want Wi-Fi: %s', (navigator, may) => {
    vi.stubGlobal('navigator', navigator);
    expect(isLineAllowed({ wifiOnly: true })).toBe(may);
    expect(isLineAllowed({ wifiOnly: false })).toBe(true);
  });

  it.each<[boolean, string, object]>([
    [true, 'Chromium on Android', { connection: { type: 'wifi' } }],
    [true, 'Chromium elsewhere', { connection: { saveData: false } }],
    [false, 'a browser that tells something else', { connection: {} }],
    [false, 'any other', {}],
  ])('is known to be metered or not: %s in %s', (can, _browser, navigator) => {
    vi.stubGlobal('navigator', navigator);
    expect(canTellLine()).toBe(can);
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
