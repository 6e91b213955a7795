import { readdirSync, readFileSync } from 'node:fs';
import type { Golden, Stored } from './golden.ts';

const FOLDER = new URL('../vectors/golden-v1/', import.meta.url);

/** The golden objects as they lie in the repository. */
export function storedFiles(): Stored {
  const names = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name !== 'golden.json' && file.name !== 'make.mjs')
    .map((file) => `${file.parentPath}/${file.name}`.replace(/^.*\/golden-v1\/+/, ''));
  return new Map(names.map((name) => [name, new Uint8Array(readFileSync(new URL(name, FOLDER)))]));
}

/** What must be found in them. */
export const goldenJson = (): Golden =>
  JSON.parse(readFileSync(new URL('golden.json', FOLDER), 'utf8')) as Golden;
