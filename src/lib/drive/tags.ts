import { FAVOURITE } from '../journal/entries/operations.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';

const OTHERS = 50;

/** The tags that all of these have, and others of the vault, the one used most first. */
export function tagsOf(state: FoldedVault, entries: readonly string[]): { tags: string[]; others: string[] } {
  const [first, ...rest] = entries.map((id) => new Set(state.entry(id)?.tags));
  const tags = [...(first ?? [])].filter((tag) => tag !== FAVOURITE && rest.every((own) => own.has(tag)));
  const counts = new Map<string, number>();
  for (const [entry, names] of state.tags) {
    if (state.hidden.has(entry)) continue;
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const tag of [FAVOURITE, ...tags]) counts.delete(tag);
  const others = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).map(([tag]) => tag);
  return { tags: tags.sort((a, b) => a.localeCompare(b)), others: others.slice(0, OTHERS) };
}
