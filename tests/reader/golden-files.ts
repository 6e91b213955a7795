import { readdirSync, readFileSync } from 'node:fs';
import type { Golden, Stored } from './golden.ts';

const folderOf = (name: string): URL => new URL(`../vectors/${name}/`, import.meta.url);

/** The golden objects of a folder of tests/vectors as they are in the repository. */
export function storedIn(folder: string): Stored {
  const names = readdirSync(folderOf(folder), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name !== 'golden.json' && file.name !== 'make.mjs')
    .map((file) => `${file.parentPath}/${file.name}`.replace(new RegExp(`^.*/${folder}/+`), ''));
  return new Map(names.map((name) => [name, new Uint8Array(readFileSync(new URL(name, folderOf(folder))))]));
}

/** Its `golden.json`. */
export const jsonOf = (folder: string): unknown =>
  JSON.parse(readFileSync(new URL('golden.json', folderOf(folder)), 'utf8'));

/** The golden account of version 1. */
export const storedFiles = (): Stored => storedIn('golden-v1');

/** What must be found in it. */
export const goldenJson = (): Golden => jsonOf('golden-v1') as Golden;
