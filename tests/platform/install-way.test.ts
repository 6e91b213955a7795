import { describe, expect, it } from 'vitest';
import { installWay, sparedPlace } from '../../src/lib/platform/install-way.ts';
import { installGuide } from '../../src/lib/ui/texts/en/install.ts';

const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)';

const AGENTS = [
  [
    'ios',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) ${WEBKIT} Version/18.4 Mobile/15E148 Safari/604.1`,
    5,
  ],
  [
    'ios',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) ${WEBKIT} CriOS/137.0 Mobile/15E148 Safari/604.1`,
    5,
  ],
  ['ios', `${MAC} ${WEBKIT} Version/18.4 Safari/605.1.15`, 5], // an iPad
  ['macos', `${MAC} ${WEBKIT} Version/18.4 Safari/605.1.15`, 0],
  ['chromium', `${MAC} ${BLINK} Chrome/137.0.0.0 Safari/537.36`, 0],
  [
    'chromium',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0`,
    0,
  ],
  ['chromium', `Mozilla/5.0 (Linux; Android 10; K) ${BLINK} Chrome/137.0.0.0 Mobile Safari/537.36`, 5],
  ['chromium', `Mozilla/5.0 (X11; Linux x86_64) ${BLINK} HeadlessChrome/156.0.0.0 Safari/537.36`, 0],
  ['firefox-android', 'Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 5],
  ['firefox-windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0', 0],
  ['none', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0],
  ['none', `${MAC}; rv:140.0) Gecko/20100101 Firefox/140.0`, 0],
  ['none', '', 0],
] as const;

describe('the way onto a device, without a button of ours', () => {
  it.each(AGENTS)('is %s for %j with %i touch points', (way, userAgent, maxTouchPoints) => {
    expect(installWay({ userAgent, maxTouchPoints })).toBe(way);
  });

  it.each(AGENTS)('names the place that Safari spares: %s, %j, %i', (way, userAgent, maxTouchPoints) => {
    const places: Partial<Record<typeof way, string>> = { ios: 'home screen', macos: 'Dock' };
    expect(sparedPlace({ userAgent, maxTouchPoints })).toBe(places[way]);
  });

  it('is explained for every browser, in sentences', () => {
    for (const way of new Set(AGENTS.map(([each]) => each))) {
      const { steps } = installGuide(way);
      expect(steps.length).toBeGreaterThan(1);
      for (const { text } of steps) expect(text).toMatch(/^[A-Z].+\.$/);
    }
  });
});
