import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** `FIREFOX_PATH`, else one on PATH. @returns {string | undefined} undefined when the machine has none */
export function findFirefox() {
  return process.env['FIREFOX_PATH'] ?? findOnPath(['firefox-esr', 'firefox']);
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
