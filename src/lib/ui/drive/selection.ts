// What is selected in a list: by id, so that it survives sorting, syncing and scrolling. Values, never changed: whoever
// shows a list keeps the latest one, and takes it back to `NOTHING_SELECTED` when another place is looked at.

/** Entries that are selected. */
export interface Selection {
  readonly entries: ReadonlySet<string>;
  /** Where a range begins: the one that was selected last by itself. */
  readonly anchor?: string;
}

export const NOTHING_SELECTED: Selection = { entries: new Set() };

/** This one and no other. */
export function only(entry: string): Selection {
  return { entries: new Set([entry]), anchor: entry };
}

/** With this one, or without it if it was among them. */
export function toggled({ entries }: Selection, entry: string): Selection {
  const others = [...entries].filter((each) => each !== entry);
  return { entries: new Set(entries.has(entry) ? others : [...others, entry]), anchor: entry };
}

/** These, as a range from the same anchor. @param isAdded beside what was selected before, and not in its place */
export function ranged(before: Selection, range: readonly string[], isAdded: boolean): Selection {
  const { anchor = range[0] } = before;
  const entries = new Set(isAdded ? [...before.entries, ...range] : range);
  return anchor === undefined ? { entries } : { entries, anchor };
}

/** What is left of it among those that are there; the same selection when all are. */
export function among(before: Selection, there: readonly string[]): Selection {
  const all = new Set(there);
  const left = [...before.entries].filter((entry) => all.has(entry));
  if (left.length === before.entries.size) return before;
  const { anchor } = before;
  return { entries: new Set(left), ...(anchor !== undefined && all.has(anchor) && { anchor }) };
}

/** What something is done to that is begun at this entry: all that is selected if it is, else the entry alone. */
export function concerned({ entries }: Selection, entry: string): readonly string[] {
  return entries.has(entry) ? [...entries] : [entry];
}
