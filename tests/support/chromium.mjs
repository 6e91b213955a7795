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

/** The program, and Debian's package. */
export const HEADLESS_SHELL = 'chromium-headless-shell';
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * The browser that people have: `CHROMIUM_PATH`, else one on PATH, else Playwright's own.
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
  return orThrow(findChromium());
}

/**
 * Where no test is about the browser itself: the headless shell, which is the same engine without the windows, menus
 * and start pages around it, and needs half the processor time. Where there is none, or `CHROMIUM_PATH` names another,
 * the whole browser.
 * @returns {string | undefined} its path; undefined when the machine has neither
 */
export function findHeadlessChromium() {
  return process.env['CHROMIUM_PATH'] ?? findOnPath([HEADLESS_SHELL]) ?? findChromium();
}

/** @returns {string} as `findHeadlessChromium` @throws {Error} as `chromiumPath` */
export function headlessChromiumPath() {
  return orThrow(findHeadlessChromium());
}

/** @param {string | undefined} path @returns {string} */
function orThrow(path) {
  if (!path) throw new Error('no Chromium: set CHROMIUM_PATH, or run `npm test`, which installs one');
  return path;
}
