import {
  TOP,
  type Crumb,
  type DriveReport,
  type DriveUsage,
  type EntryDetails,
  type EntryRow,
  type FileRow,
  type Place,
  type SearchFilter,
  type TreeFolder,
  type ViewQuery,
} from '../protocol/drive.ts';
import type { Announcer } from './announcer.svelte.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import { entriesFound } from './texts/en.ts';

/** Until somebody has stopped typing: what each letter finds is not worth hearing. */
const TOLD_AFTER_MS = 500;

/** Rows fetched at once: several screens, and still far below a frame's work. */
const WINDOW_ROWS = 200;

type Column = ViewQuery['sortBy'];
type ViewReport = Extract<DriveReport, { kind: 'view' }>;

const TOP_BY_NAME: ViewQuery = {
  place: { kind: 'folder', folder: TOP },
  search: '',
  sortBy: 'name',
  descending: false,
};

/**
 * What of the drive is looked at. The worker searches and sorts; what is in sight comes over in windows of rows. Each
 * place keeps the order that it was given, as long as the page stands.
 */
export class Files {
  readonly #worker: CryptoWorker;
  readonly #announcer: Announcer;
  #query = $state.raw<ViewQuery>(TOP_BY_NAME);
  #view = $state.raw<ViewReport | undefined>();
  #windows = $state.raw<ReadonlyMap<number, readonly EntryRow[]>>(new Map());
  #all = $state.raw<number | undefined>();
  #telling: ReturnType<typeof setTimeout> | undefined;
  readonly #loadedAt = new Map<number, number>(); // window → revision that was asked for
  readonly #orders = new Map<string, Pick<ViewQuery, 'sortBy' | 'descending'>>();

  /** @param announcer says how many files and folders a search finds */
  constructor(worker: CryptoWorker, announcer: Announcer) {
    this.#worker = worker;
    this.#announcer = announcer;
  }

  get query(): ViewQuery {
    return this.#query;
  }

  get place(): Place {
    return this.#query.place;
  }

  /** The folder that new things go to: the one that is looked at, or else the top folder. */
  get folder(): string {
    return this.place.kind === 'folder' && !this.isMissing ? this.place.folder : TOP;
  }

  get isSearching(): boolean {
    return this.#query.search.trim() !== '';
  }

  /** Whether the list of what is looked at is known. */
  get isKnown(): boolean {
    return this.#view !== undefined;
  }

  /** Rows of the query. */
  get total(): number {
    return this.#view?.total ?? 0;
  }

  /** Files among them. */
  get fileCount(): number {
    return this.#view?.files ?? 0;
  }

  /** What these files come to. */
  get sizeBytes(): number {
    return this.#view?.sizeBytes ?? 0;
  }

  /** The way to the folder that is looked at, the top folder not included. */
  get crumbs(): readonly Crumb[] {
    return this.#view?.crumbs ?? [];
  }

  /** Whether the folder that is looked at is not there, or is in the trash. */
  get isMissing(): boolean {
    return this.#view?.isMissing ?? false;
  }

  /** Files and folders of the drive that are not in the trash; undefined until they are known. */
  get all(): number | undefined {
    return this.#all;
  }

  /** Another one whenever something of the drive may have changed. */
  get revision(): number {
    return this.#view?.revision ?? 0;
  }

  /** Undefined while its window is on the way. */
  row(index: number): EntryRow | undefined {
    return this.#windows.get(Math.floor(index / WINDOW_ROWS))?.[index % WINDOW_ROWS];
  }

  /**
   * Of the entry at this index; with its window, because an entry may stand in two while one of them is older than the
   * list.
   */
  keyOf(index: number): string {
    return `${String(Math.floor(index / WINDOW_ROWS))}/${this.row(index)?.entry ?? String(index)}`;
  }

  /** Where an entry is in the list as it is now; undefined when it is not in it, or nobody can say. */
  async indexOf(entry: string): Promise<number | undefined> {
    const { index } = await this.#worker.send('view/index', { entry }).catch(() => ({ index: undefined }));
    return index;
  }

  /** The first row from this one on, and then from the top, whose name begins so; undefined when there is none. */
  async find(prefix: string, from: number): Promise<number | undefined> {
    return (await this.#worker.send('view/find', { prefix, from })).index;
  }

  /** Ids of these rows, `to` exclusive, in sight or not. */
  async entriesBetween(from: number, to: number): Promise<readonly string[]> {
    return (await this.#worker.send('view/entries', { from, to })).entries;
  }

  applyView(view: ViewReport): void {
    this.#all = view.all;
    if (keyOf(view.place) !== keyOf(this.place)) return; // Of the place that was left.
    this.#view = view;
    if (this.#telling !== undefined) this.#tellLater();
  }

  /** Fetches what of these rows is not here, or older than the list. `to` is exclusive. */
  async ensure(from: number, to: number): Promise<void> {
    const wanted: number[] = [];
    for (let at = Math.floor(from / WINDOW_ROWS); at * WINDOW_ROWS < Math.min(to, this.total); at++) {
      if (this.#loadedAt.get(at) !== this.revision) wanted.push(at);
    }
    await Promise.all(wanted.map((at) => this.#load(at)));
  }

  /** Goes to another place; a search is over then. */
  go(place: Place): Promise<void> {
    if (keyOf(place) === keyOf(this.place) && this.isKnown && !this.isSearching) return Promise.resolve();
    const order = this.#orders.get(keyOf(place)) ?? orderOf(place);
    this.#forget();
    return this.#ask({ place, search: '', ...order });
  }

  /** Searches as it is typed; empty for all of the place. */
  search(text: string): Promise<void> {
    this.#tellLater();
    return this.#ask({ ...this.#query, search: text });
  }

  /** @param folder what is below it; undefined for all of the drive */
  searchWithin(folder: string | undefined): Promise<void> {
    const { within: _before, ...query } = this.#query;
    return this.#ask(folder === undefined ? query : { ...query, within: folder });
  }

  filterBy(filter: SearchFilter): Promise<void> {
    return this.#ask({ ...this.#query, filter });
  }

  /** Sorts by this column; by the same one again, the other way round. Newest and largest come first. */
  sort(column: Column, descending?: boolean): Promise<void> {
    const { sortBy, descending: isTurned } = this.#query;
    const turned = column === sortBy ? !isTurned : column === 'size' || column === 'added';
    const order = { sortBy: column, descending: descending ?? turned };
    this.#orders.set(keyOf(this.place), order);
    return this.#ask({ ...this.#query, ...order });
  }

  /** Asks for the list from the start, as after signing in. */
  open(): Promise<void> {
    return this.#ask(this.#query);
  }

  async readFolders(folder: string): Promise<readonly TreeFolder[]> {
    return (await this.#worker.send('folders/read', { folder })).folders;
  }

  /** @throws {HalfkeyError} `not_found` */
  details(entry: string): Promise<EntryDetails> {
    return this.#worker.send('entry/details', { entry });
  }

  /** `tags`: those that all of these have; `others`: what there is besides. */
  readTags(entries: readonly string[]): Promise<{ tags: readonly string[]; others: readonly string[] }> {
    return this.#worker.send('tags/read', { entries });
  }

  readUsage(): Promise<DriveUsage> {
    return this.#worker.send('usage/read', {});
  }

  /** Keeps what is sealed in it on this device, or no longer. */
  keep({ entry }: FileRow, keep: boolean): Promise<void> {
    return this.#worker.send('file/keep', { file: entry, keep });
  }

  clear(): void {
    this.#query = TOP_BY_NAME;
    this.#all = undefined;
    this.#orders.clear();
    this.#forget();
    clearTimeout(this.#telling);
    this.#telling = undefined;
  }

  #forget(): void {
    this.#view = undefined;
    this.#windows = new Map();
    this.#loadedAt.clear();
  }

  #tellLater(): void {
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      this.#announcer.say(entriesFound(this.total, this.#query.search));
    }, TOLD_AFTER_MS);
  }

  #ask(query: ViewQuery): Promise<void> {
    this.#query = query;
    return this.#worker.send('view/set', query);
  }

  async #load(at: number): Promise<void> {
    const asked = this.revision;
    this.#loadedAt.set(at, asked);
    try {
      const { revision, rows } = await this.#worker.send('view/rows', {
        from: at * WINDOW_ROWS,
        count: WINDOW_ROWS,
      });
      // An answer from before a later change, or of another place, would put old rows over new ones.
      if (revision < this.revision || this.#loadedAt.get(at) !== asked) return;
      this.#windows = new Map(this.#windows).set(at, rows);
    } catch {
      // Asked again with the next scroll or change.
      this.#loadedAt.delete(at);
    }
  }
}

function keyOf(place: Place): string {
  return place.kind === 'folder' ? `folder ${place.folder}` : place.kind;
}

/** What was put into the trash last is what somebody looks for there. */
function orderOf({ kind }: Place): Pick<ViewQuery, 'sortBy' | 'descending'> {
  return kind === 'trash' ? { sortBy: 'added', descending: true } : { sortBy: 'name', descending: false };
}
