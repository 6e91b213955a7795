/**
 * Version and algorithms of everything that Halfkey seals or derives (docs/FORMAT.md §2). Part of every derivation and
 * AAD.
 */
export const SUITE = 'halfkey/1';
