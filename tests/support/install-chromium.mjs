import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findChromium } from './chromium.mjs';

/** @param {string} command @param {string[]} args */
function run(command, args) {
  console.log(`\n▸ ${[command, ...args].join(' ')}`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: process.env });
  if (error) throw error;
  return status === 0;
}

/** @param {string} name */
function isOnPath(name) {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Sees to it that there is a Chromium: a distribution's own first, because Playwright's download is not to be had behind every
 * firewall. Ends the process when none can be installed.
 */
export function installChromium() {
  if (findChromium()) return;
  if (process.getuid?.() === 0 && isOnPath('apt-get')) {
    if (run('apt-get', ['update']))
      run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-liberation']);
  }
  if (!findChromium()) run('npx', ['playwright', 'install', '--with-deps', 'chromium']);
  if (!findChromium()) {
    console.error('\n✗ no Chromium, and none could be installed: set CHROMIUM_PATH to one');
    process.exit(1);
  }
}
