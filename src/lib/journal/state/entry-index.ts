import { DEAD, NO_VERSION, NOT_TRASHED, type EntryTable, type VersionTable } from './tables.ts';

/** In `blobs`: the key of an inbox. */
export const NO_ENTRY = -1;

/**
 * What folding looks up; built from the tables when the first operation needs it, so that opening a vault does not wait
 * for it.
 */
export class EntryIndex {
  /** Every entry, hidden ones too. */
  readonly byId = new Map<string, number>();
  /**
   * Every blob that the state knows, with the entry that it belongs to, or `NO_ENTRY`: none is ever taken by a second
   * version.
   */
  readonly blobs: Map<string, number>;
  /** Names, ids and blobs that a table has twice; none in a table that a fold made. */
  readonly clashes: number;
  readonly #entries: EntryTable;
  readonly #hidden: { has: (entry: number) => boolean };
  readonly #namesByFolder = new Map<number, Set<string>>();

  /**
   * @param hidden entries that leave their names to others; looked up in it from then on
   * @param otherBlobs those that belong to no entry
   */
  constructor(
    entries: EntryTable,
    versions: VersionTable,
    hidden: { has: (entry: number) => boolean },
    otherBlobs: Iterable<string>,
  ) {
    this.#entries = entries;
    this.#hidden = hidden;
    this.blobs = new Map(Array.from(otherBlobs, (blob) => [blob, NO_ENTRY]));
    let known = this.blobs.size;
    let clashes = 0;
    for (let entry = 0; entry < entries.ids.length; entry++) {
      if (entries.parents[entry] === DEAD) continue;
      this.byId.set(entries.ids[entry] ?? '', entry);
      known++;
      if (!this.claimName(entry)) clashes++;
      let version = entries.newest[entry] ?? NO_VERSION;
      while (version !== NO_VERSION) {
        this.blobs.set(versions.blobs[version] ?? '', entry);
        known++;
        version = versions.previous[version] ?? NO_VERSION;
      }
    }
    this.clashes = clashes + known - this.byId.size - this.blobs.size;
  }

  /** Whether an entry of the folder that is not in the trash has this very name. */
  isTaken(folder: number, name: string): boolean {
    return this.#namesByFolder.get(folder)?.has(name) ?? false;
  }

  /** What is in the trash, or hidden, leaves its name to others. @returns whether the name was free */
  claimName(entry: number): boolean {
    if (this.#entries.trashedAtMs[entry] !== NOT_TRASHED || this.#hidden.has(entry)) return true;
    const folder = this.#entries.parents[entry] ?? DEAD;
    const names = this.#namesByFolder.get(folder) ?? new Set();
    const before = names.size;
    if (names.add(this.#entries.names[entry] ?? '').size === before) return false;
    if (before === 0) this.#namesByFolder.set(folder, names);
    return true;
  }

  releaseName(entry: number): void {
    if (this.#entries.trashedAtMs[entry] !== NOT_TRASHED) return;
    const folder = this.#entries.parents[entry] ?? DEAD;
    this.#namesByFolder.get(folder)?.delete(this.#entries.names[entry] ?? '');
  }
}
