import type { Journal } from '../journal/journal.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { FOLDER } from '../journal/state/tables.ts';
import { searchKey } from '../journal/entries/names.ts';
import { list, searchKeyOf } from '../journal/state/listing.ts';
import type { DroppedChange, EntryRow, FileRow, ViewQuery } from '../protocol/drive.ts';
import type { Report } from '../protocol/commands.ts';
import { look, type Looked } from './looking.ts';
import type { PendingChanges } from './pending-changes.ts';
import { rowAt, type RowContext } from './rows.ts';

/** Changes of the journal that come together are shown together. */
const GATHER_MS = 50;

const TOP_BY_NAME: ViewQuery = {
  place: { kind: 'folder', folder: '' },
  search: '',
  sortBy: 'name',
  descending: false,
};

/** What is told where there is no drive. */
const NOTHING = { total: 0, files: 0, sizeBytes: 0, all: 0, crumbs: [], isMissing: false } as const;

/** What is looked at: a journal, and what is to be in it but is not yet. */
export interface Drive {
  readonly journal: Journal;
  readonly changes: PendingChanges;
}

/** What was found, and in which state. */
interface Found extends Looked {
  readonly state: FoldedVault;
}

/**
 * What of the drive is looked at: asked once, told of whenever it changes, read in rows; and which of its changes were
 * given up.
 */
export class View {
  readonly #report: (report: Report) => void;
  readonly #keptOf: (blob: string) => FileRow['kept'];
  #query: ViewQuery = TOP_BY_NAME;
  #drive: Drive | undefined;
  #stopWatching: (() => void)[] = [];
  #found: Found | undefined;
  #revision = 0;
  #dropped: readonly DroppedChange[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;

  /** @param keptOf whether a version's ciphertext stays on this device; after a change of it, `touch` */
  constructor(report: (report: Report) => void, keptOf: (blob: string) => FileRow['kept']) {
    this.#report = report;
    this.#keptOf = keptOf;
  }

  /** What rows say beyond the vault itself. */
  get context(): RowContext {
    const touched = this.#drive?.changes.touched;
    return { isPending: (entry) => touched?.has(entry) ?? false, keptOf: this.#keptOf };
  }

  /** Looks at another drive; at nothing when there is none. */
  look(drive: Drive | undefined): void {
    for (const stop of this.#stopWatching) stop();
    this.#drive = drive;
    const touch = () => {
      this.touch();
    };
    this.#stopWatching = drive ? [drive.journal.onChange(touch), drive.changes.onChange(touch)] : [];
    this.#update();
  }

  set(query: ViewQuery): void {
    this.#query = query;
    this.#update();
  }

  /** Something that rows show is another than before. */
  touch(): void {
    this.#gathering ??= setTimeout(() => {
      this.#update();
    }, GATHER_MS);
  }

  /** @param from 0-based; fewer rows at the end */
  rows(from: number, count: number): { revision: number; rows: EntryRow[] } {
    const found = this.#found;
    const { context } = this;
    const rows = found
      ? found.indices
          .slice(from, from + count)
          .map((index) => rowAt(found.state, index, found.isMixed, context))
      : [];
    return { revision: this.#revision, rows };
  }

  /** 0-based; undefined when the entry is not among what is looked at. */
  indexOf(entry: string): number | undefined {
    const at = this.#found?.indices.indexOf(this.#found.state.indexOf(entry) ?? -1) ?? -1;
    return at < 0 ? undefined : at;
  }

  /** Ids, `to` exclusive. */
  entries(from: number, to: number): string[] {
    const found = this.#found;
    return found ? found.indices.slice(from, to).map((index) => found.state.entries.ids[index] ?? '') : [];
  }

  /** 0-based; the first from this row on, and then from the top, whose name begins so. */
  find(prefix: string, from: number): number | undefined {
    const found = this.#found;
    if (!found) return undefined;
    const { state, indices } = found;
    const begins = searchKey(prefix);
    const at = [...indices.slice(from), ...indices.slice(0, from)].findIndex((index) =>
      searchKeyOf(state, index).startsWith(begins),
    );
    return at < 0 ? undefined : (from + at) % indices.length;
  }

  #update(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const drive = this.#drive;
    const state = drive?.changes.shown;
    this.#found = state && { ...look(state, this.#query), state };
    this.#revision += 1;
    this.#tell();
    this.#tellDropped(drive?.changes.dropped ?? []);
  }

  #tell(): void {
    const revision = this.#revision;
    const { place } = this.#query;
    const found = this.#found;
    if (!found) {
      this.#report({ kind: 'view', revision, place, ...NOTHING });
      return;
    }
    const { state, indices, crumbs, isMissing } = found;
    const { entries, versions } = state;
    let [files, sizeBytes] = [0, 0];
    for (const index of indices) {
      const newest = entries.newest[index] ?? FOLDER;
      if (newest === FOLDER) continue;
      files += 1;
      sizeBytes += versions.sizeBytes[newest] ?? 0;
    }
    const all = list(state, { place: { kind: 'all' }, sortBy: 'name', descending: false }).total;
    const total = indices.length;
    this.#report({ kind: 'view', revision, place, total, files, sizeBytes, all, crumbs, isMissing });
  }

  #tellDropped(changes: readonly DroppedChange[]): void {
    const before = this.#dropped;
    this.#dropped = changes;
    // A change that was given up stays as it is: its key and name say all.
    const isSame =
      changes.length === before.length &&
      changes.every(({ key, name }, at) => key === before[at]?.key && name === before[at].name);
    if (!isSame) this.#report({ kind: 'changes-dropped', changes });
  }
}
