import uFuzzy from '@leeoniya/ufuzzy';
import { searchKey } from '../journal/entries/names.ts';
import { FAVOURITE } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { searchKeyOf } from '../journal/state/listing.ts';
import { ROOT_INDEX } from '../journal/state/tables.ts';

/** More hits than that are not ranked: nobody reads them. */
const RANKED = 5_000;
/** Words in any order, so many at most. */
const OUT_OF_ORDER = 3;

/** `uFuzzy.IntraMode.SingleError`, an enum of types alone. */
const ONE_SLIP = 1 as number as never;

/** Letters of every script, and one slip in each word: a letter wrong, missing, too many, or two in the wrong order. */
const fuzzy = new uFuzzy({
  unicode: true,
  interSplit: "[^\\p{L}\\d']+",
  intraSplit: '\\p{Ll}\\p{Lu}',
  intraBound: '\\p{L}\\d|\\d\\p{L}|\\p{Ll}\\p{Lu}',
  intraChars: "[\\p{L}\\d']",
  intraContr: "'\\p{L}{1,2}\\b",
  intraMode: ONE_SLIP,
});

/** Texts that are searched, as they were made of a state. */
interface Haystack {
  readonly revision: number;
  /** By entry: path, name and tags. Made when they are asked for. */
  readonly texts: (string | undefined)[];
  readonly paths: Map<number, string>;
}
const haystacks = new WeakMap<FoldedVault, Haystack>();

/**
 * Entries that somebody may mean, the likeliest first: those with all of it in their names, then those in whose path,
 * name or tags its words are, then those where they almost are.
 * @param among indices of entries, in the order that equals keep
 */
export function search(state: FoldedVault, among: readonly number[], typed: string): number[] {
  const needle = searchKey(typed.trim());
  if (needle === '') return [...among];
  const named = among.filter((entry) => searchKeyOf(state, entry).includes(needle));
  const isNamed = new Set(named);
  const others = among.filter((entry) => !isNamed.has(entry));
  const texts = textsOf(state, others);
  const [hits, info, order] = fuzzy.search(texts, needle, OUT_OF_ORDER, RANKED);
  const ranked = order ? order.map((place) => info.idx[place] ?? 0) : (hits ?? []);
  return [...named, ...ranked.flatMap((at) => others[at] ?? [])];
}

function textsOf(state: FoldedVault, entries: readonly number[]): string[] {
  let haystack = haystacks.get(state);
  if (haystack?.revision !== state.revision) {
    haystack = { revision: state.revision, texts: [], paths: new Map([[ROOT_INDEX, '']]) };
    haystacks.set(state, haystack);
  }
  const { texts, paths } = haystack;
  return entries.map((entry) => (texts[entry] ??= textOf(state, entry, paths)));
}

function textOf(state: FoldedVault, entry: number, paths: Map<number, string>): string {
  const tags = (state.tags.get(entry) ?? []).filter((tag) => tag !== FAVOURITE).map(searchKey);
  const path = pathTo(state, state.entries.parents[entry] ?? ROOT_INDEX, paths);
  return [`${path}${searchKeyOf(state, entry)}`, ...tags].join(' ');
}

/** Ends with a slash; empty for the top folder. */
function pathTo(state: FoldedVault, folder: number, paths: Map<number, string>): string {
  const known = paths.get(folder);
  if (known !== undefined) return known;
  const above = pathTo(state, state.entries.parents[folder] ?? ROOT_INDEX, paths);
  const path = `${above}${searchKeyOf(state, folder)}/`;
  paths.set(folder, path);
  return path;
}
