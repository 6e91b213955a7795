import { DEAD, NO_VERSION, NOT_TRASHED, type EntryTable, type VersionTable } from './tables.ts';

/** What folding looks up; built from the tables when the first operation needs it, so that opening a vault does not wait for it. */
export class EntryIndex {
  /** Every entry that is not purged. */
  readonly byId = new Map<string, number>();
  /** Every blob that the state knows: none is ever taken by a second version. */
  readonly blobs: Set<string>;
  /** Names, ids and blobs that a table has twice; none in a table that a fold made. */
  readonly clashes: number;
  readonly #entries: EntryTable;
  readonly #namesByFolder = new Map<number, Set<string>>();

  /** @param otherBlobs those that belong to no entry */
  constructor(entries: EntryTable, versions: VersionTable, otherBlobs: Iterable<string>) {
    this.#entries = entries;
    this.blobs = new Set(otherBlobs);
    let known = this.blobs.size;
    let clashes = 0;
    for (let entry = 0; entry < entries.ids.length; entry++) {
      if (entries.parents[entry] === DEAD) continue;
      this.byId.set(entries.ids[entry] ?? '', entry);
      known++;
      if (!this.claimName(entry)) clashes++;
      let version = entries.newest[entry] ?? NO_VERSION;
      while (version !== NO_VERSION) {
        this.blobs.add(versions.blobs[version] ?? '');
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

  /** What is in the trash leaves its name to others. @returns whether the name was free */
  claimName(entry: number): boolean {
    if (this.#entries.trashedAtMs[entry] !== NOT_TRASHED) return true;
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
