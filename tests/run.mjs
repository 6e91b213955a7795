import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfStale } from '../broker/launch/build.mjs';
import { bin, installPackages } from '../broker/launch/install.mjs';
import { root } from '../broker/launch/root.mjs';
import { endWith } from '../broker/launch/run.mjs';
import { changedSince, relatedTo, specsFor } from './support/changed.mjs';
import { readPlaywright, readVitest, summarise } from './support/summary.mjs';

// `npm test`, or one suite by its name (`node tests/run.mjs unit`), on a machine with nothing but Node.js: installs
// packages and browsers, builds, runs, and says at the end what took long, what was skipped, and what passed only at
// the second try. What follows the name of a suite goes on to its tool.

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

/** @param {string[]} words for Vitest @returns {Suite['run']} */
function vitest(...words) {
  return (args, folder) => {
    const report = join(folder, 'vitest.json');
    const options = ['--run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    return {
      command: [bin('vitest', 'vitest.mjs'), ...words, ...options, ...args],
      read: () => readVitest(report),
    };
  };
}

/** @type {Record<string, Suite>} */
const SUITES = {
  check: { run: (args) => ({ command: [join(root, 'tests', 'check.mjs'), ...args] }) },
  bare: { run: (args) => ({ command: [join(root, 'tests', 'bare', 'run.mjs'), ...args] }) },
  unit: { run: vitest('--project', 'node', '--project', 'isolated') },
  broker: { run: vitest('--project', 'broker') },
  /** On an S3 that answers for missing keys as it might, too: tests/support/missing-keys.ts. */
  lenient: {
    run: (args, folder) => ({
      ...vitest('--project', 'broker')(args, folder),
      env: { HALFKEY_MISSING_KEYS: 'lenient' },
    }),
  },
  browser: { inBrowsers: true, run: vitest('--project', 'browser', '--project', 'worker') },
  /** All projects at once. */
  vitest: { inBrowsers: true, onBuild: true, run: vitest() },
  related: { inBrowsers: true, onBuild: true, run: vitest('related') },
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

/** @typedef {{ name: string, args: string[] }} Call of a suite */

/** What takes several suites, the quickest to fail first. @type {Record<string, (args: string[]) => Call[]>} */
const PLANS = {
  all: () => callsOf('check', 'vitest', 'e2e'),
  /** In their long forms. */
  full: () => callsOf('check', 'bare', 'vitest', 'lenient', 'e2e'),
  /** What the change since a commit can break: `npm run test:changed -- main`. */
  changed([since]) {
    const changed = changedSince(since);
    const calls = [
      { name: 'related', args: relatedTo(changed) },
      { name: 'e2e', args: specsFor(changed) },
    ];
    return calls.filter(({ args }) => args.length > 0);
  },
};

/** @param {string[]} names */
function callsOf(...names) {
  return names.map((name) => ({ name, args: /** @type {string[]} */ ([]) }));
}

const [wanted = 'all', ...words] = process.argv.slice(2);
if (wanted === 'full') process.env['HALFKEY_FULL'] = '1';
const calls = PLANS[wanted]?.(words) ?? [{ name: wanted, args: words }];
const suites = calls.map(
  ({ name }) => SUITES[name] ?? endWith(`there is no suite "${name}": ${Object.keys(SUITES).join(', ')}`),
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
  for (const [index, { name, args }] of calls.entries()) {
    const run = suites[index]?.run(args, folder);
    if (!run) throw new TypeError('expected a suite for each call');
    console.log(`\n▸ ${name}`);
    const startedAtMs = Date.now();
    const { status, error } = spawnSync(process.execPath, run.command, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...run.env },
    });
    if (error) throw error;
    results.push({
      name,
      passed: status === 0,
      seconds: (Date.now() - startedAtMs) / 1000,
      files: run.read?.() ?? [],
    });
  }
  console.log(summarise(results));
  return results.every(({ passed }) => passed) ? 0 : 1;
}
