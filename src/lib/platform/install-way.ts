/**
 * How this app comes onto a device, by browser. `prompt`: the browser itself lets us ask; the others have to be shown
 * where their own button is. `none`: this browser cannot install apps.
 */
export type InstallWay =
  'prompt' | 'ios' | 'macos' | 'chromium' | 'firefox-android' | 'firefox-windows' | 'none';

/** Where apps are that Safari deletes nothing of. */
export type SparedPlace = 'home screen' | 'Dock';

/** What tells browsers and systems apart here. */
export interface Browser {
  readonly userAgent: string;
  /** An iPad says that it is a Mac, which has no touch screen. */
  readonly maxTouchPoints: number;
}

const WAYS: readonly (readonly [InstallWay, (browser: Browser) => boolean])[] = [
  ['ios', ({ userAgent }) => /\b(iPhone|iPad|iPod)\b/.test(userAgent)],
  ['ios', ({ userAgent, maxTouchPoints }) => /\bMacintosh\b/.test(userAgent) && maxTouchPoints > 1],
  ['firefox-android', ({ userAgent }) => /\bAndroid\b.*\bFirefox\//.test(userAgent)],
  ['firefox-windows', ({ userAgent }) => /\bWindows\b.*\bFirefox\//.test(userAgent)],
  ['none', ({ userAgent }) => userAgent.includes('Firefox/')],
  ['chromium', ({ userAgent }) => /Chrom(e|ium)\//.test(userAgent)],
  ['macos', ({ userAgent }) => /\bMacintosh\b.*\bSafari\//.test(userAgent)],
];

/**
 * Where a browser removes all that a site keeps on the device once it has not been visited for seven days, and only an
 * installed app is spared: Safari, and on iPhones every browser, because all are Safari's engine there (WebKit,
 * "Tracking Prevention in WebKit", 7-day cap).
 * @returns where apps are installed to there; undefined in other browsers
 */
export function sparedPlace(browser: Browser): SparedPlace | undefined {
  const way = installWay(browser);
  if (way === 'ios') return 'home screen';
  return way === 'macos' ? 'Dock' : undefined;
}

/** The way for a browser that offers no button of its own. */
export function installWay(browser: Browser): Exclude<InstallWay, 'prompt'> {
  const way = WAYS.find(([, is]) => is(browser))?.[0];
  return way === undefined || way === 'prompt' ? 'none' : way;
}
