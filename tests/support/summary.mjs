import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { root } from '../../broker/launch/root.mjs';

// What a run says at its end. Vitest and Playwright report in JSON, each in its own form; here they become one.

/**
 * @typedef {{ file: string, seconds: number, passed: number, failed: string[], flaky: string[], skipped: string[] }}
 * FileResult tests by title; times in s
 */
/** @typedef {{ name: string, passed: boolean, seconds: number, files: FileResult[] }} SuiteResult */

const SLOWEST = 10;

/** @param {string} path of Vitest's JSON report @returns {FileResult[]} */
export function readVitest(path) {
  /** @typedef {{ fullName: string, status: string, meta?: { note?: string } }} Assertion */
  /**
   * @typedef {{ name: string, startTime: number, endTime: number, status: string, message: string, assertionResults:
   * Assertion[] }} File
   */
  const { testResults } = /** @type {{ testResults: File[] }} */ (readReport(path) ?? { testResults: [] });
  return testResults.map(({ name, startTime, endTime, status, message, assertionResults }) => {
    const titles = (/** @type {string[]} */ ...wanted) =>
      assertionResults.filter((one) => wanted.includes(one.status)).map((one) => one.fullName);
    const failed = titles('failed');
    return {
      file: relative(root, name),
      seconds: (endTime - startTime) / 1000,
      passed: titles('passed').length,
      // A file that could not be loaded has failed without a test.
      failed: status === 'failed' && failed.length === 0 ? [message.split('\n')[0] ?? ''] : failed,
      flaky: [],
      skipped: titles('skipped', 'pending', 'todo', 'disabled'),
    };
  });
}

/** @param {string} path of Playwright's JSON report @returns {FileResult[]} */
export function readPlaywright(path) {
  /**
   * @typedef {{ status: string, annotations: { type: string, description?: string }[], results: { duration: number }[]
   * }} Test
   */
  /** @typedef {{ title: string, file: string, specs?: { title: string, tests: Test[] }[], suites?: Suite[] }} Suite */
  const { suites } = /** @type {{ suites: Suite[] }} */ (readReport(path) ?? { suites: [] });
  return suites.map((top) => {
    /** @type {FileResult} */
    const result = {
      file: `tests/e2e/${top.file}`,
      seconds: 0,
      passed: 0,
      failed: [],
      flaky: [],
      skipped: [],
    };
    for (const { title, tests } of specsOf(top)) {
      for (const { status, annotations, results } of tests) {
        result.seconds += results.reduce((sum, { duration }) => sum + duration, 0) / 1000;
        const reason = annotations.find(({ type }) => type === 'skip')?.description;
        if (status === 'expected') result.passed += 1;
        else if (status === 'flaky') result.flaky.push(title);
        else if (status === 'skipped') result.skipped.push(reason ? `${title}: ${reason}` : title);
        else result.failed.push(title);
      }
    }
    return result;
  });

  /** @param {Suite} suite @returns {NonNullable<Suite['specs']>} */
  function specsOf({ specs = [], suites: inner = [] }) {
    return [...specs, ...inner.flatMap(specsOf)];
  }
}

/** @param {string} path @returns {unknown} undefined if the tool has written none */
function readReport(path) {
  return existsSync(path) ? /** @type {unknown} */ (JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}

/** @param {SuiteResult[]} suites @returns {string} */
export function summarise(suites) {
  const files = suites.flatMap((suite) => suite.files);
  const sum = (/** @type {(file: FileResult) => number} */ count) =>
    files.reduce((total, file) => total + count(file), 0);
  const slowest = [...files].sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  const named = (/** @type {'failed' | 'flaky' | 'skipped'} */ kind) =>
    files.flatMap((file) => file[kind].map((title) => `${kind}: ${file.file} › ${title}`));
  const failures = suites.filter(({ passed }) => !passed).map(({ name }) => name);
  return [
    '',
    ...(slowest.length > 0 ? ['The slowest files:'] : []),
    ...slowest.map(({ file, seconds }) => `  ${seconds.toFixed(1).padStart(6)} s  ${file}`),
    'The suites:',
    ...suites.map(({ name, seconds }) => `  ${seconds.toFixed(1).padStart(6)} s  ${name}`),
    ...named('skipped'),
    // What passes only at a second try is a fault that waits for somebody: of the product, or of the test.
    ...named('flaky'),
    ...named('failed'),
    ...(files.length > 0
      ? [
          `${String(sum(({ passed, flaky }) => passed + flaky.length))} passed, ${String(sum(({ failed }) => failed.length))} failed, ${String(sum(({ skipped }) => skipped.length))} skipped`,
        ]
      : []),
    failures.length > 0 ? `✗ failed: ${failures.join(', ')}` : '✓ everything passed',
  ].join('\n');
}
