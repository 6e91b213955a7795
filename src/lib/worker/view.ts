import type { Journal } from '../journal/journal.ts';
import { list, type Listing } from '../journal/listing.ts';
import type { FileRow, Report, ViewQuery } from './protocol.ts';

/** Changes of the journal that come together are shown together. */
const GATHER_MS = 50;

/** What of the drive is looked at: asked once, told of whenever it changes, read in rows. */
export class View {
  readonly #report: (report: Report) => void;
  #query: ViewQuery = { filter: '', sortBy: 'name', descending: false };
  #journal: Journal | undefined;
  #stopWatching: (() => void) | undefined;
  #listing: Listing | undefined;
  #revision = 0;
  #gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(report: (report: Report) => void) {
    this.#report = report;
  }

  /** Looks at another journal; at nothing when there is none. */
  look(journal: Journal | undefined): void {
    this.#stopWatching?.();
    this.#journal = journal;
    this.#stopWatching = journal?.onChange(() => {
      this.#gathering ??= setTimeout(() => {
        this.#update();
      }, GATHER_MS);
    });
    this.#update();
  }

  set(query: ViewQuery): void {
    this.#query = query;
    this.#update();
  }

  /** @param from 0-based; fewer rows at the end */
  rows(from: number, count: number): { revision: number; rows: FileRow[] } {
    const listed = this.#listing?.rows(from, count) ?? [];
    const rows = listed.map(({ file, name, sizeBytes, mediaType, addedAtMs }) => {
      return { file, name, sizeBytes, mediaType, addedAtMs };
    });
    return { revision: this.#revision, rows };
  }

  #update(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#listing = this.#journal && list(this.#journal.state, this.#query);
    this.#revision += 1;
    const { total, files } = this.#listing ?? { total: 0, files: 0 };
    this.#report({ kind: 'view', revision: this.#revision, total, files });
  }
}
