import { execFileSync } from 'node:child_process';
import { root } from '../../broker/launch/root.mjs';

// What a change can break. Vitest follows imports; what runs as a bundle, or in a browser, is imported by nothing, and
// stands here.

/** The specs that go with any change of what they run: the main path, and what S3, broker and the line may do to it. */
const MAIN_PATH = ['tests/e2e/drive.spec.ts', 'tests/e2e/mishaps.spec.ts'];
/** What tests reach bundles through. */
const BUNDLES = [
  'tests/support/build-broker.ts',
  'tests/support/broker-process.ts',
  'tests/support/stack.ts',
];

/**
 * @param {string} [since] a commit; by default what is not committed yet, or else the last commit
 * @returns {string[]} paths relative to the root, without files that are gone
 */
export function changedSince(since) {
  const changed = (/** @type {string} */ commit) => [
    ...git('diff', '--name-only', '--diff-filter=d', commit),
    ...git('ls-files', '--others', '--exclude-standard'),
  ];
  if (since !== undefined) return changed(since);
  const uncommitted = changed('HEAD');
  return uncommitted.length > 0 ? uncommitted : changed('HEAD~1');
}

/** @param {readonly string[]} changed @returns {string[]} for `vitest related` */
export function relatedTo(changed) {
  const isBundled = changed.some((path) => /^(broker|src|static)\//.test(path));
  return [...changed.filter((path) => /\.(ts|mjs|svelte)$/.test(path)), ...(isBundled ? BUNDLES : [])];
}

/** @param {readonly string[]} changed @returns {string[]} specs for Playwright; none if the change is not for it */
export function specsFor(changed) {
  const specs = changed.filter((path) => /^tests\/e2e\/.*\.spec\.ts$/.test(path));
  const isBundled = changed.some((path) => /^(broker|src|static)\//.test(path));
  return [...new Set([...specs, ...(isBundled ? MAIN_PATH : [])])];
}

/** @param {string[]} args */
function git(...args) {
  const output = execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  return output.split('\n').filter((line) => line !== '');
}
