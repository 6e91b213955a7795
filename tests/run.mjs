import { installPackages, must } from '../broker/entry/install.mjs';

// Everything that `npm test` does, on a machine with nothing but Node: packages, a browser, the checks, the builds, and all suites.

/** @param {string} command @param {string[]} args */
function step(command, ...args) {
  console.log(`\n▸ ${[command, ...args].join(' ')}`);
  must(command, ...args);
}

installPackages();
const { installChromium } = await import('./support/install-chromium.mjs');
installChromium();
step('npm', 'run', '--silent', 'check');
step('npm', 'run', '--silent', 'build');
step('npx', 'vitest', 'run');
step('npx', 'playwright', 'test');
console.log('\n✓ all checks and tests passed');
