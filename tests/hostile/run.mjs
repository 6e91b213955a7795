import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfStale } from '../../broker/launch/build.mjs';
import { bin, installPackages } from '../../broker/launch/install.mjs';
import { root } from '../../broker/launch/root.mjs';
import { claimedRows, differences, promisedAttacks } from './attack-table.mjs';

// `npm run test:hostile`: every attack of docs/ATTACKS.md against this tree, and the table of what became of each. With
// `-- --full` all variants and all indices; more words are file names for vitest.

/**
 * @typedef {{
 *   id: string, attack: string, tried: string, within?: string, status: 'ok' | 'open' | 'failed', variants: number,
 *   refusals: string[], held: string[], missing?: string, durationMs: number
 * }} RowResult a line of the results, as tests/hostile/support/row.ts writes it
 */

const wanted = process.argv.slice(2);
const isFull = wanted.includes('--full');
const files = wanted.filter((word) => word !== '--full');

installPackages();
const { installBrowsers } = await import('../support/install-browsers.mjs');
installBrowsers();
buildIfStale('app');
buildIfStale('broker');

const folder = mkdtempSync(join(tmpdir(), 'halfkey-hostile-results-'));
const results = join(folder, 'rows.jsonl');
try {
  const status = runTests();
  const rows = readRows();
  printTable(rows);
  process.exitCode = judge(rows, status);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * The rows build what they need themselves, out of the tree as it is: the broker once for all, the app once for all.
 */
function runTests() {
  const vitest = bin('vitest', 'vitest.mjs');
  const { status, error } = spawnSync(process.execPath, [vitest, 'run', '--project', 'hostile', ...files], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      HALFKEY_HOSTILE_RESULTS: results,
      HALFKEY_FULL: isFull ? '1' : '',
    },
  });
  if (error) throw error;
  return status ?? 1;
}

/** @returns {RowResult[]} in the order of their ids: A2 before A10 */
function readRows() {
  if (!existsSync(results)) return [];
  const lines = readFileSync(results, 'utf8').trim().split('\n');
  /** @type {RowResult[]} */
  const rows = [];
  for (const line of lines) {
    const parsed = /** @type {unknown} */ (JSON.parse(line));
    rows.push(/** @type {RowResult} */ (parsed));
  }
  return rows.sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** @param {RowResult[]} rows */
function printTable(rows) {
  const cells = rows.map(({ id, status, variants, attack, tried, within, refusals, held, missing }) => {
    const outcome = [
      ...refusals,
      ...held.map((what) => `held: ${what}`),
      ...(missing ? [`missing: ${missing}`] : []),
    ];
    return [
      id,
      status,
      String(variants),
      within ? `${attack}: ${within}` : attack,
      tried,
      status === 'open' ? `missing: ${missing ?? ''}` : outcome.join(', '),
    ];
  });
  const table = [['row', 'state', 'variants', 'attack', 'tried', 'refused as'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  console.log();
  for (const line of table) {
    const [id = '', state = '', variants = '', attack = '', tried = '', outcome = ''] = line;
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = widths;
    console.log(
      `${id.padEnd(w0)}  ${state.padEnd(w1)}  ${variants.padStart(w2)}  ${attack.padEnd(w3)}  ${tried}`,
    );
    console.log(`${' '.repeat(w0 + w1 + w2 + 6)}→ ${outcome}`);
  }
}

/**
 * @param {RowResult[]} rows
 * @param {number} status of vitest
 */
function judge(rows, status) {
  const of = (/** @type {RowResult['status']} */ wantedStatus) =>
    rows.filter((row) => row.status === wantedStatus);
  const variants = rows.reduce((sum, row) => sum + row.variants, 0);
  const seconds = Math.round(rows.reduce((sum, row) => sum + row.durationMs, 0) / 1000);
  console.log(
    `\n${String(rows.length)} rows, ${String(variants)} variants in ${String(seconds)} s of work: ${String(of('ok').length)} ok, ${String(of('open').length)} open, ${String(of('failed').length)} failed`,
  );
  for (const { id, attack, missing } of of('open')) console.log(`open: ${id} ${attack}: ${missing ?? ''}`);
  const unlisted = files.length > 0 ? [] : differences(promisedAttacks(root), claimedRows(root), rows);
  for (const line of unlisted) console.error(`✗ ${line}`);
  return status === 0 && unlisted.length === 0 && rows.length > 0 ? 0 : 1;
}
