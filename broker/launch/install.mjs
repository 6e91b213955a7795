import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';
import { endWith, failWith, runQuietly } from './run.mjs';

// Runs before anything is installed, so it uses nothing but Node; plain JavaScript, because Node 20 does not run
// TypeScript.

/** Where npm keeps a lockfile of what it has installed. */
const INSTALLED = join(root, 'node_modules', '.package-lock.json');

/** @typedef {Record<string, { version?: string, optional?: boolean }>} Lockfile packages by folder */

/** The oldest minor version of each release line that works, as `engines` in package.json says; any later line does. */
const OLDEST = [
  [20, 19],
  [22, 12],
];

/**
 * @param {string} version as in `process.versions.node`
 * @returns {boolean}
 */
export function isNodeRecentEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const newestLine = OLDEST.at(-1)?.[0] ?? 0;
  return major > newestLine || OLDEST.some(([line, least = 0]) => line === major && minor >= least);
}

/** Ends the process, saying what to do, on a Node.js that is too old. */
export function requireNode() {
  if (isNodeRecentEnough(process.versions.node)) return;
  endWith(
    `Halfkey needs Node.js 22.12 or newer (20.19 works, too), and this is ${process.versions.node}: get a newer one at https://nodejs.org`,
  );
}

/**
 * Installs what package-lock.json names, unless exactly that is installed, and makes the types of SvelteKit that
 * tsconfig.json extends. Ends the process, saying what to do, when that fails.
 * @param {(line: string) => void} [say] where progress goes; standard output by default
 */
export function installPackages(say = console.log) {
  requireNode();
  if (!arePackagesInstalled()) {
    say('Installing packages; the first time takes about a minute …');
    const output = runQuietly('installing the packages', 'npm', 'ci');
    // npm takes files that it could not unpack, on a disk that is full, for a warning.
    if (output.includes('TAR_ENTRY_ERROR')) {
      rmSync(INSTALLED, { force: true });
      failWith('installing the packages', output);
    }
  }
  if (!existsSync(join(root, '.svelte-kit', 'tsconfig.json'))) {
    runQuietly('preparing SvelteKit', process.execPath, bin('@sveltejs/kit', 'svelte-kit.js'), 'sync');
  }
}

/**
 * @param {string} name a package
 * @param {string} file its program, relative to its folder
 * @returns {string} the program's path, to be run by Node.js itself: no shell, no PATH
 */
export function bin(name, file) {
  return join(root, 'node_modules', name, file);
}

/** The times of files say nothing after a clone. */
function arePackagesInstalled() {
  const installed = readLockfile(INSTALLED);
  if (!installed) return false;
  const wanted = Object.entries(readLockfile(join(root, 'package-lock.json')) ?? {});
  return wanted.every(
    ([path, { version, optional }]) =>
      path === '' || optional === true || installed[path]?.version === version,
  );
}

/**
 * @param {string} path
 * @returns {Lockfile | undefined} undefined without one
 */
function readLockfile(path) {
  try {
    const parsed = /** @type {unknown} */ (JSON.parse(readFileSync(path, 'utf8')));
    const lockfile = /** @type {{ packages: Lockfile }} */ (parsed);
    return lockfile.packages;
  } catch {
    return undefined;
  }
}
