import type { Bytes } from '../../reader/primitives.ts';
import { sequence, type Item } from '../writing/cbor.ts';
import { begin, LAPTOP, type Turn } from '../writing/log.ts';

/** A journal, and what its reading comes to, as somebody thinks who has read the rule. */
export interface JournalSpec {
  readonly name: string;
  /** Section of docs/FORMAT.md. */
  readonly rule: string;
  readonly says: string;
  readonly log: readonly Bytes[];
  /** Vault keys of the epochs 1, 2, … that its reader has. */
  readonly turns?: readonly Turn[];
  readonly expect: {
    /**
     * Entries in the order of their coming: their paths, folders with "/" at the end, " [trash]" and " [hidden]" behind
     * those that are.
     */
    readonly tree: readonly string[];
    readonly skipped: number;
    /** Why the reading ends before the last segment. */
    readonly refused?: string;
  };
}

/** Operations in one segment of the laptop, after a genesis. */
export const ops = (
  name: string,
  rule: string,
  says: string,
  operations: readonly Item[] | Uint8Array,
  tree: readonly string[],
  skipped = 0,
): JournalSpec => ({
  name,
  rule,
  says,
  log: begin(name).add(LAPTOP, operations).segments,
  expect: { tree, skipped },
});

/** One thing between two that are right. */
export const between = (before: Item, item: Item, after: Item): Uint8Array => sequence([before, item, after]);
