import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bin, installPackages } from './install.mjs';
import { root } from './root.mjs';
import { runQuietly } from './run.mjs';
import { APP_SOURCES, BROKER_SOURCES, digestOf } from './sources.mjs';

// `npm run build`: the app into `build/`, the broker and the local cloud into `dist/`.

/** `file` exists once the product was built; `options` are Vite's. */
const PRODUCTS = {
  app: { file: 'build/app.html', sources: APP_SOURCES, options: [] },
  broker: { file: 'dist/broker.js', sources: BROKER_SOURCES, options: ['--config', 'vite.broker.config.ts'] },
};

/** @typedef {keyof typeof PRODUCTS} ProductName */

/**
 * Builds a product unless it is built already. Ends the process when that fails.
 * @param {ProductName} name
 * @param {(line: string) => void} [say] where progress goes; standard output by default
 */
export function buildIfStale(name, say = console.log) {
  if (!isBuilt(name)) build(name, say);
}

/** Whether a product is there, and was built from exactly the sources that are here now. @param {ProductName} name */
export function isBuilt(name) {
  const { file, sources } = PRODUCTS[name];
  const stamp = stampOf(name);
  return (
    existsSync(join(root, file)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digestOf(sources)
  );
}

/**
 * Builds a product anew. Ends the process when that fails.
 * @param {ProductName} name
 * @param {(line: string) => void} [say] as for `buildIfStale`
 */
export function build(name, say = console.log) {
  const { sources, options } = PRODUCTS[name];
  const stamp = stampOf(name);
  const digest = digestOf(sources);
  say(`Building the ${name} …`);
  // A build that is cut off half-way must not pass for a whole one.
  rmSync(stamp, { force: true });
  const vite = [bin('vite', 'bin/vite.js'), 'build', '--logLevel', 'warn', ...options];
  runQuietly(`building the ${name}`, process.execPath, ...vite);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

/** Beside the packages: anyone who installs other ones gets a new build. @param {ProductName} name */
function stampOf(name) {
  return join(root, 'node_modules', '.halfkey', `${name}.sources`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  installPackages();
  build('app');
  build('broker');
  console.log('The app is in build/, the broker and the local cloud are in dist/.');
}
