import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Runs before anything is installed, so it uses nothing but Node; plain JavaScript, because Node 20 runs no TypeScript.

/** The folder of package.json. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** @typedef {Record<string, { version?: string, optional?: boolean }>} Lockfile packages by folder */

const OLDEST_NODE = [20, 19];

/** Ends the process, with what to do about it, on a Node that is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = OLDEST_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  console.error(
    `Halfkey needs Node.js ${OLDEST_NODE.join('.')} or newer, and this is ${process.versions.node}: get one at https://nodejs.org`,
  );
  process.exit(1);
}

/**
 * Installs the packages of package-lock.json, unless exactly these are there, and what Kit makes for tsconfig.json to extend. Ends the
 * process when that fails.
 */
export function installPackages() {
  requireNode();
  if (!arePackagesInstalled()) {
    console.log('Installing packages …');
    must('npm', 'ci');
  }
  if (!existsSync(join(root, '.svelte-kit', 'tsconfig.json'))) must('npx', 'svelte-kit', 'sync');
}

/**
 * Runs a command in the project's folder, in sight of who waits for it; ends the process when it fails.
 * @param {string} command @param {string[]} args
 */
export function must(command, ...args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    // npm is a command file there, which only a shell runs.
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  console.error(`${[command, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

/** What npm has installed stands in a lockfile of its own inside node_modules; times of files say nothing after a clone. */
function arePackagesInstalled() {
  const installed = readLockfile(join(root, 'node_modules', '.package-lock.json'));
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
