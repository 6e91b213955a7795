import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfStale } from '../broker/launch/build.mjs';
import { bin, installPackages, root } from '../broker/launch/install.mjs';
import { endWith } from '../broker/launch/run.mjs';
import { readPlaywright, readVitest, summarise } from './support/summary.mjs';

// `npm test`, or one suite by its name (`node tests/run.mjs unit`), on a machine with nothing but Node.js: installs packages and browsers,
// builds, runs, and says at the end what took long, what was skipped, and what passed only at the second try. What follows the name of a
// suite goes on to its tool.

/**
 * @typedef {object} Run how one tool is called
 * @property {string[]} command of Node.js
 * @property {Record<string, string>} [env]
 * @property {() => import('./support/summary.mjs').FileResult[]} [read] the results of its files
 */

/**
 * @typedef {object} Suite
 * @property {boolean} [inBrowsers] whether it needs them
 * @property {boolean} [onBuild] whether it needs `build/` and `dist/`
 * @property {(args: string[], folder: string) => Run} run `folder` is for its report
 */

/** @param {string[]} projects of vitest.config.ts; none: all @returns {Suite['run']} */
function vitest(...projects) {
  return (args, folder) => {
    const report = join(folder, 'vitest.json');
    const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const chosen = projects.flatMap((name) => ['--project', name]);
    return {
      command: [bin('vitest', 'vitest.mjs'), 'run', ...chosen, ...options, ...args],
      read: () => readVitest(report),
    };
  };
}

/** @type {Record<string, Suite>} */
const SUITES = {
  check: { run: (args) => ({ command: [join(root, 'tests', 'check.mjs'), ...args] }) },
  unit: { run: vitest('node') },
  broker: { run: vitest('broker') },
  browser: { inBrowsers: true, run: vitest('browser') },
  vitest: { inBrowsers: true, onBuild: true, run: vitest() },
  e2e: {
    inBrowsers: true,
    onBuild: true,
    run(args, folder) {
      const report = join(folder, 'playwright.json');
      return {
        command: [bin('@playwright/test', 'cli.js'), 'test', '--reporter=list,json', ...args],
        env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report },
        read: () => readPlaywright(report),
      };
    },
  },
};
/** The suites of `npm test`, the quickest to fail first; Vitest runs all its projects at once. */
const ALL = ['check', 'vitest', 'e2e'];

const [name = 'all', ...args] = process.argv.slice(2);
const chosen = name === 'all' ? ALL : [name];
const suites = chosen.map(
  (one) => SUITES[one] ?? endWith(`there is no suite ${one}: ${Object.keys(SUITES).join(', ')}`),
);

installPackages();
if (suites.some(({ inBrowsers }) => inBrowsers)) {
  const { installBrowsers } = await import('./support/install-browsers.mjs');
  installBrowsers();
}
if (suites.some(({ onBuild }) => onBuild)) {
  buildIfStale('app');
  buildIfStale('broker');
}
const folder = mkdtempSync(join(tmpdir(), 'halfkey-tests-'));
try {
  process.exitCode = runAll();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns {number} the exit code: a suite that failed does not keep the others from being run */
function runAll() {
  /** @type {import('./support/summary.mjs').SuiteResult[]} */
  const results = [];
  for (const [index, suite] of suites.entries()) {
    const { command, env, read } = suite.run(args, folder);
    const startedAtMs = Date.now();
    const { status, error } = spawnSync(process.execPath, command, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    if (error) throw error;
    results.push({
      name: chosen[index] ?? '',
      passed: status === 0,
      seconds: (Date.now() - startedAtMs) / 1000,
      files: read?.() ?? [],
    });
  }
  console.log(summarise(results));
  return results.every(({ passed }) => passed) ? 0 : 1;
}
