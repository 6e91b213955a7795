import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Installation } from '../../src/lib/state/installation.svelte.ts';

let page: EventTarget;
/** How this window is shown. */
let mode: string;

beforeEach(() => {
  [page, mode] = [new EventTarget(), 'browser'];
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('matchMedia', (query: string) => ({ matches: query === `(display-mode: ${mode})` }));
  vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/140.0', maxTouchPoints: 0 });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** The browser lets the page ask. @returns how often it did, and whether the browser's own bar was kept away */
function offer(): { event: Event; asked: () => number } {
  let asked = 0;
  const event = Object.assign(new Event('beforeinstallprompt', { cancelable: true }), {
    prompt: () => Promise.resolve({ outcome: 'dismissed', asked: (asked += 1) }),
  });
  page.dispatchEvent(event);
  return { event, asked: () => asked };
}

describe('the browser’s offer to install', () => {
  it('makes the way that of asking, once, in place of the browser’s own bar', async () => {
    const installation = new Installation();
    expect(installation.way).toBe('none');
    const { event, asked } = offer();
    expect([installation.way, event.defaultPrevented]).toEqual(['prompt', true]);
    await installation.ask();
    await installation.ask();
    expect([asked(), installation.way]).toEqual([1, 'none']);
  });

  it('may come again after it was turned down', async () => {
    const installation = new Installation();
    offer();
    await installation.ask();
    const { asked } = offer();
    await installation.ask();
    expect(asked()).toBe(1);
  });

  it('is over when the app was installed, by whatever way', () => {
    const installation = new Installation();
    offer();
    page.dispatchEvent(new Event('appinstalled'));
    expect([installation.isInstalled, installation.way]).toEqual([true, 'none']);
  });
});

describe('a window', () => {
  it.each([
    ['standalone', true],
    ['minimal-ui', true],
    ['window-controls-overlay', true],
    ['fullscreen', true],
    ['browser', false],
  ])('that is shown as %s is an installed app: %s', (shown, isInstalled) => {
    mode = shown;
    expect(new Installation().isInstalled).toBe(isInstalled);
  });

  it('on an iPhone’s home screen is one, too', () => {
    vi.stubGlobal('navigator', { standalone: true });
    expect(new Installation().isInstalled).toBe(true);
  });
});
