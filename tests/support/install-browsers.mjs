import { spawnSync } from 'node:child_process';
import { endWith } from '../../broker/launch/run.mjs';
import { findChromium, HEADLESS_SHELL } from './chromium.mjs';
import { findFirefox, findOnPath, findWebKit } from './program-path.mjs';

/** What Debian and its relatives call them. */
const PACKAGES = {
  Chromium: ['chromium', 'fonts-liberation'],
  Firefox: ['firefox-esr'],
  WebKit: ['webkit2gtk-driver', 'gjs', 'gir1.2-webkit2-4.1', 'xvfb', 'fonts-liberation'],
};
/** @type {Record<keyof typeof PACKAGES, () => unknown>} */
const FINDERS = { Chromium: findChromium, Firefox: findFirefox, WebKit: findWebKit };

/**
 * Installs the browsers that the suites run in, as far as the machine lacks them and lets us. Without Chromium the
 * tests have failed, and this ends the process; without Firefox or WebKit their tests are skipped, which the end of the
 * run names; without Chromium's headless shell they take longer.
 */
export function installBrowsers() {
  if (canInstall()) {
    const names = /** @type {(keyof typeof PACKAGES)[]} */ (Object.keys(PACKAGES));
    const missing = names.filter((name) => FINDERS[name]() === undefined);
    if (missing.length > 0) run('apt-get', ['update', '--quiet=2']);
    // One by one: a distribution that lacks one of them has the others all the same.
    for (const name of missing) install(name, PACKAGES[name]);
    if (!findOnPath([HEADLESS_SHELL]) && isOffered(HEADLESS_SHELL))
      install('Chromium’s headless shell', [HEADLESS_SHELL]);
  }
  if (findChromium()) return;
  console.log('Downloading a Chromium for Playwright …');
  run('npx', ['playwright', 'install', 'chromium']);
  if (findChromium()) return;
  endWith(
    'the tests need a Chromium, and this user could not install one: install it (on Debian or Ubuntu: sudo apt-get install chromium) or set CHROMIUM_PATH to one',
  );
}

/** As root on Debian and its relatives; elsewhere we would have to ask for a password. */
function canInstall() {
  return process.getuid?.() === 0 && findOnPath(['apt-get']) !== undefined;
}

/** @param {string} name @returns {boolean} whether this distribution has such a package */
function isOffered(name) {
  return spawnSync('apt-cache', ['show', name]).status === 0;
}

/** @param {string} name @param {readonly string[]} packages */
function install(name, packages) {
  console.log(`Installing ${name} …`);
  run('apt-get', ['install', '--yes', '--quiet=2', '--no-install-recommends', ...packages]);
}

/** Shows what was printed only when the command fails. @param {string} command @param {string[]} args */
function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error, stderr } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (status === 0) return;
  const lines = (error?.message ?? stderr).trim().split('\n').slice(-3);
  console.error(`${[command, ...args].join(' ')} failed: ${lines.join(' ')}`);
}
