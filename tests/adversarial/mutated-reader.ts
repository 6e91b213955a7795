import * as nodeCrypto from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import * as cborg from 'cborg';
import ts from 'typescript';
import type { Reader } from './by-reader.ts';
import type { Mutation } from './mutations.ts';

const FOLDER = new URL('../reader/', import.meta.url);
const EXTERNAL: Readonly<Record<string, unknown>> = {
  'node:crypto': nodeCrypto,
  cborg,
  '@scure/bip39/wordlists/english.js': { wordlist },
};
/** What by-reader.ts asks of a reader. */
const ENTRIES = [
  'backup-code',
  'content',
  'envelope',
  'floe',
  'inbox',
  'journal',
  'keyring',
  'kit',
  'primitives',
  'snapshot',
  'state-bytes',
] as const;

const sources: ReadonlyMap<string, string> = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.ts') && !/^golden|\.test\.ts$/.test(name))
    .map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')]),
);

const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
const compiled = new Map<string, string>();

/** As CommonJS, whose modules can be made again and again in one process. */
function compile(source: string): string {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const { outputText } = ts.transpileModule(source, { compilerOptions: options });
  compiled.set(source, outputText);
  return outputText;
}

/**
 * A copy of the independent reader in which one place of one file is another.
 * @throws {Error} unless the place is there exactly once: the list no longer fits the reader
 */
export function readerWith(mutation: Pick<Mutation, 'file' | 'from' | 'to'> | undefined): Reader {
  const modules = new Map<string, object>();
  const sourceOf = (name: string): string => {
    const source = sources.get(name) ?? '';
    if (mutation?.file !== name) return source;
    const parts = source.split(mutation.from);
    if (parts.length !== 2)
      throw new Error(`${name} has ${String(parts.length - 1)} times: ${mutation.from}`);
    return parts.join(mutation.to);
  };
  const load = (name: string): object => {
    const known = modules.get(name);
    if (known) return known;
    const exports = {};
    modules.set(name, exports);
    const require = (from: string): unknown => (from.startsWith('./') ? load(from.slice(2)) : EXTERNAL[from]);
    const run = compileFunction(compile(sourceOf(name)), ['exports', 'require'], { filename: name }) as (
      ...words: unknown[]
    ) => void;
    run(exports, require);
    return exports;
  };
  if (mutation && !sources.has(mutation.file)) throw new Error(`there is no ${mutation.file}`);
  return Object.assign({}, ...ENTRIES.map((name) => load(`${name}.ts`))) as Reader;
}
