import type { FileRow, ViewQuery } from '../protocol/drive.ts';
import type { Announcer } from './announcer.svelte.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import { filesFound } from './texts/en.ts';

/** Until somebody has stopped typing: what each letter finds is not worth hearing. */
const TOLD_AFTER_MS = 500;

/** Rows fetched at once: several screens, and still far below a frame's work. */
const WINDOW_ROWS = 200;

type Column = ViewQuery['sortBy'];

/** The list as it is looked at. The worker filters and sorts; what is in sight comes over in windows of rows. */
export class Files {
  readonly #worker: CryptoWorker;
  readonly #announcer: Announcer;
  #query = $state.raw<ViewQuery>({ filter: '', sortBy: 'name', descending: false });
  #total = $state.raw(0);
  #count = $state.raw<number | undefined>();
  #revision = $state.raw(0);
  #windows = $state.raw<ReadonlyMap<number, readonly FileRow[]>>(new Map());
  #telling: ReturnType<typeof setTimeout> | undefined;
  readonly #loadedAt = new Map<number, number>(); // window → revision that was asked for

  /** @param announcer says how many files a filter lets through */
  constructor(worker: CryptoWorker, announcer: Announcer) {
    this.#worker = worker;
    this.#announcer = announcer;
  }

  get query(): ViewQuery {
    return this.#query;
  }

  /** Rows of the query. */
  get total(): number {
    return this.#total;
  }

  /** Files of the drive; undefined until they are known. */
  get count(): number | undefined {
    return this.#count;
  }

  /** Undefined while its window is on the way. */
  row(index: number): FileRow | undefined {
    return this.#windows.get(Math.floor(index / WINDOW_ROWS))?.[index % WINDOW_ROWS];
  }

  /**
   * Of the file at this index; with its window, because a file may stand in two while one of them is older than the
   * list.
   */
  keyOf(index: number): string {
    return `${String(Math.floor(index / WINDOW_ROWS))}/${this.row(index)?.file ?? String(index)}`;
  }

  /** Where a file is in the list as it is now; undefined when it is not in it, or that is not known. */
  async indexOf(file: string): Promise<number | undefined> {
    const { index } = await this.#worker.send('view/index', { file }).catch(() => ({ index: undefined }));
    return index;
  }

  applyView(view: { readonly revision: number; readonly total: number; readonly files: number }): void {
    this.#revision = view.revision;
    this.#total = view.total;
    this.#count = view.files;
    if (this.#telling !== undefined) this.#tellLater();
  }

  /** Fetches what of these rows is not here, or older than the list. `to` is exclusive. */
  async ensure(from: number, to: number): Promise<void> {
    const wanted: number[] = [];
    for (let at = Math.floor(from / WINDOW_ROWS); at * WINDOW_ROWS < Math.min(to, this.#total); at++) {
      if (this.#loadedAt.get(at) !== this.#revision) wanted.push(at);
    }
    await Promise.all(wanted.map((at) => this.#load(at)));
  }

  filter(text: string): Promise<void> {
    this.#tellLater();
    return this.#ask({ ...this.#query, filter: text });
  }

  /** Sorts by this column; by the same one again, the other way round. Newest and largest come first. */
  sort(column: Column): Promise<void> {
    const { sortBy, descending } = this.#query;
    return this.#ask({
      ...this.#query,
      sortBy: column,
      descending: column === sortBy ? !descending : column !== 'name',
    });
  }

  /** Asks for the list from the start, as after signing in. */
  open(): Promise<void> {
    return this.#ask(this.#query);
  }

  /** Works offline and while locked. @throws {HalfkeyError} `name_malformed` */
  rename({ file }: FileRow, name: string): Promise<void> {
    return this.#worker.send('file/rename', { file, name });
  }

  /** Keeps what is sealed in it on this device, or no longer. */
  keep({ file }: FileRow, keep: boolean): Promise<void> {
    return this.#worker.send('file/keep', { file, keep });
  }

  clear(): void {
    this.#query = { filter: '', sortBy: 'name', descending: false };
    this.#total = 0;
    this.#count = undefined;
    this.#windows = new Map();
    this.#loadedAt.clear();
    clearTimeout(this.#telling);
    this.#telling = undefined;
  }

  #tellLater(): void {
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      this.#announcer.say(filesFound(this.#total, this.#query.filter));
    }, TOLD_AFTER_MS);
  }

  #ask(query: ViewQuery): Promise<void> {
    this.#query = query;
    return this.#worker.send('view/set', query);
  }

  async #load(at: number): Promise<void> {
    const asked = this.#revision;
    this.#loadedAt.set(at, asked);
    try {
      const { revision, rows } = await this.#worker.send('view/rows', {
        from: at * WINDOW_ROWS,
        count: WINDOW_ROWS,
      });
      // An answer from before a later change would put old rows over new ones.
      if (revision < this.#revision) return;
      this.#windows = new Map(this.#windows).set(at, rows);
    } catch {
      // Asked again with the next scroll or change.
      this.#loadedAt.delete(at);
    }
  }
}
