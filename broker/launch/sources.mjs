import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { root } from './root.mjs';

const SHARED = ['broker/contract', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** What the app in `build/` is built from: files and folders, relative to the root. */
export const APP_SOURCES = [
  'src',
  'static',
  'svelte.config.js',
  'vite.config.ts',
  // svelte.config.js takes the version from these.
  'broker/launch/root.mjs',
  'broker/launch/sources.mjs',
  ...SHARED,
];

/** What the broker and the local cloud in `dist/` are built from. */
export const BROKER_SOURCES = ['broker', 'vite.broker.config.ts', ...SHARED];

/**
 * The content of the sources counts: times say nothing after a checkout, and anyone who builds the same sources gets
 * the same digest.
 * @param {readonly string[]} sources relative to the root
 * @returns {string} SHA-256 over the paths, lengths and bytes of all files, hex
 */
export function digestOf(sources) {
  const hash = createHash('sha256');
  for (const path of [...new Set(sources.flatMap(filesOf))].sort()) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path.replaceAll(sep, '/')}\0${String(bytes.length)}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** @param {string} path relative to the root @returns {string[]} it, or all files below it */
function filesOf(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((one) => statSync(join(root, one)).isFile());
}
