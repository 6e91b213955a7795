import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** `FIREFOX_PATH`, else one on PATH. @returns {string | undefined} undefined when the machine has none */
export function findFirefox() {
  return process.env['FIREFOX_PATH'] ?? findOnPath(['firefox-esr', 'firefox']);
}

/**
 * What a WebKit is made of here: the driver, GJS to run the browser around it, and a screen to draw on.
 * @typedef {{ readonly driver: string, readonly gjs: string, readonly xvfb: string }} WebKitPrograms
 */

/** Debian's. @returns {WebKitPrograms | undefined} undefined unless the machine has all of it */
export function findWebKit() {
  const [driver, gjs, xvfb] = [['WebKitWebDriver'], ['gjs'], ['Xvfb']].map(findOnPath);
  if (driver === undefined || gjs === undefined || xvfb === undefined) return undefined;
  // WebKit's description for other languages is a package of its own.
  const asked = spawnSync(gjs, ['-c', 'imports.gi.versions.WebKit2 = "4.1"; imports.gi.WebKit2;']);
  return asked.status === 0 ? { driver, gjs, xvfb } : undefined;
}

/**
 * @param {readonly string[]} names in order of preference
 * @returns {string | undefined} path of the first that a folder of PATH holds and this user may run
 */
export function findOnPath(names) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        continue;
      }
    }
  }
  return undefined;
}
