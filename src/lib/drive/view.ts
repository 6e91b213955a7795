import type { Journal } from '../journal/journal.ts';
import type { PendingChanges } from './pending-changes.ts';
import { listPending, type PendingListing } from './pending-listing.ts';
import type { DroppedChange, FileRow, ViewQuery } from '../protocol/drive.ts';
import type { Report } from '../protocol/commands.ts';

/** Changes of the journal that come together are shown together. */
const GATHER_MS = 50;

/** What is looked at: a journal, and what is to be in it but is not yet. */
export interface Drive {
  readonly journal: Journal;
  readonly changes: PendingChanges;
}

/**
 * What of the drive is looked at: asked once, told of whenever it changes, read in rows; and which of its changes were
 * given up.
 */
export class View {
  readonly #report: (report: Report) => void;
  readonly #keptOf: (blob: string) => FileRow['kept'];
  #query: ViewQuery = { filter: '', sortBy: 'name', descending: false };
  #drive: Drive | undefined;
  #stopWatching: (() => void)[] = [];
  #listing: PendingListing | undefined;
  #revision = 0;
  #dropped: readonly DroppedChange[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;

  /** @param keptOf whether a version's ciphertext stays on this device; after a change of it, `touch` */
  constructor(report: (report: Report) => void, keptOf: (blob: string) => FileRow['kept']) {
    this.#report = report;
    this.#keptOf = keptOf;
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
  rows(from: number, count: number): { revision: number; rows: FileRow[] } {
    const listed = this.#listing?.rows(from, count) ?? [];
    const rows = listed.map(({ blob, ...row }) => ({ ...row, kept: this.#keptOf(blob) }));
    return { revision: this.#revision, rows };
  }

  /** 0-based; undefined when the file is not among what is looked at. */
  indexOf(file: string): number | undefined {
    return this.#listing?.indexOf(file);
  }

  #update(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const drive = this.#drive;
    this.#listing = drive && listPending(drive.journal.state, this.#query, drive.changes.names);
    this.#revision += 1;
    const { total, files } = this.#listing ?? { total: 0, files: 0 };
    this.#report({ kind: 'view', revision: this.#revision, total, files });
    this.#tellDropped(drive?.changes.dropped ?? []);
  }

  #tellDropped(changes: readonly DroppedChange[]): void {
    const before = this.#dropped;
    this.#dropped = changes;
    // A change that was given up stays as it is: its key says all.
    const isSame =
      changes.length === before.length && changes.every(({ key }, at) => key === before[at]?.key);
    if (!isSame) this.#report({ kind: 'changes-dropped', changes });
  }
}
