import { spawnSync } from 'node:child_process';
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

installPackages();
const { installChromium } = await import('./support/install-chromium.mjs');
installChromium();
must('npm', 'run', '--silent', 'check');
must('npm', 'run', '--silent', 'build');
must('npx', 'vitest', 'run');
must('npx', 'playwright', 'test');
console.log('\n✓ all checks and tests passed');
