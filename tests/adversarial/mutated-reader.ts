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
 * A copy of the independent reader in which one place of one file is another, and what would make up for it is left
 * out.
 * @throws {Error} unless each place is there exactly once: the list no longer fits the reader
 */
export function readerWith(mutation: Omit<Mutation, 'rule'> | undefined): Reader {
  const modules = new Map<string, object>();
  const besides = mutation?.besides?.map((omission) => ({ ...omission, to: '' })) ?? [];
  const changes = mutation ? [mutation, ...besides] : [];
  const sourceOf = (name: string): string => {
    let source = sources.get(name) ?? '';
    for (const { from, to } of changes.filter(({ file }) => file === name)) {
      const parts = source.split(from);
      if (parts.length !== 2) throw new Error(`${name} has ${String(parts.length - 1)} times: ${from}`);
      source = parts.join(to);
    }
    return source;
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
  for (const { file } of changes) if (!sources.has(file)) throw new Error(`there is no ${file}`);
  return Object.assign({}, ...ENTRIES.map((name) => load(`${name}.ts`))) as Reader;
}
