import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installPackages, root } from './install.mjs';

// `npm start`: from a fresh clone to a running Halfkey. Installs and builds what is missing or older than its sources.

const COMMON = ['package-lock.json', 'broker/contract'];
const APP = ['src', 'static', 'svelte.config.js', 'vite.config.ts', ...COMMON];
const BROKER = ['broker', 'vite.broker.config.ts', ...COMMON];

installPackages();
if (isStale('build/app.html', APP)) build('app', []);
if (isStale('dist/broker.js', BROKER)) build('broker', ['--config', 'vite.broker.config.ts']);
await import(pathToFileURL(join(root, 'dist', 'broker.js')).href);

/**
 * @param {string} product
 * @param {string[]} sources files and folders
 */
function isStale(product, sources) {
  const builtAt = newest(product);
  return builtAt === 0 || sources.some((source) => newest(source) > builtAt);
}

/**
 * @param {string} path relative to the root
 * @returns {number} when the newest file at or below was changed, ms since 1970; 0 when there is none
 */
function newest(path) {
  const stats = statSync(join(root, path), { throwIfNoEntry: false });
  if (!stats) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(join(root, path)).map((name) => newest(join(path, name))));
}

/**
 * @param {string} what
 * @param {string[]} options
 */
function build(what, options) {
  console.log(`Building the ${what} …`);
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const { status } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn', ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status === 0) return;
  console.error(`building the ${what} failed`);
  process.exit(1);
}
