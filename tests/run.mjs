import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackages } from '../broker/entry/install.mjs';

// Everything that `npm test` does, on a machine with nothing but Node: packages, a browser, the checks, the builds, and all suites.

/** @param {string} command @param {string[]} args */
function run(command, args) {
  console.log(`\n▸ ${[command, ...args].join(' ')}`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: process.env });
  if (error) throw error;
  return status === 0;
}

/** @param {string} command @param {string[]} args */
function must(command, ...args) {
  if (!run(command, args)) {
    console.error(`\n✗ ${[command, ...args].join(' ')} failed`);
    process.exit(1);
  }
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

/** A distribution's own browser first: Playwright's download is not to be had behind every firewall. */
async function installChromium() {
  const { findChromium } = await import('./support/chromium.mjs');
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

installPackages();
await installChromium();
must('npm', 'run', '--silent', 'check');
must('npm', 'run', '--silent', 'build');
must('npx', 'vitest', 'run');
must('npx', 'playwright', 'test');
console.log('\n✓ all checks and tests passed');
