import { existsSync } from 'node:fs';
import { chromium } from 'playwright';
import { findOnPath } from './program-path.mjs';

/** Flags for a headless Chromium that may run as root, and that must not talk to anybody by itself. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * The browser that tests and bench run in: `CHROMIUM_PATH`, else one on PATH, else Playwright's own.
 * @returns {string | undefined} its path; undefined when the machine has none
 */
export function findChromium() {
  const named = process.env['CHROMIUM_PATH'] ?? findOnPath(NAMES);
  if (named) return named;
  const own = chromium.executablePath();
  return existsSync(own) ? own : undefined;
}

/**
 * @returns {string} the browser's path
 * @throws {Error} when there is none: a suite without its browser has failed, not been skipped
 */
export function chromiumPath() {
  const path = findChromium();
  if (!path) throw new Error('no Chromium: set CHROMIUM_PATH, or run `npm test`, which installs one');
  return path;
}
