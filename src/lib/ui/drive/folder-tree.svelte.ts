import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { TOP, type TreeFolder } from '../../protocol/drive.ts';

/** Of one folder: with more, the folder itself is the better place to look. */
const LISTED_FOLDERS = 200;

/** A line of the tree, and how it stands in it. */
export interface TreeLine extends TreeFolder {
  readonly parent: string;
  /** 1-based, as `aria-level` is. */
  readonly level: number;
  /** 1-based. */
  readonly position: number;
  readonly siblings: number;
  readonly isOpen: boolean;
}

/** Folders beyond those that are listed. */
export interface TreeRest {
  readonly of: string;
  readonly name: string;
  readonly level: number;
  readonly count: number;
}

/** The folders of the drive, read as far as they are opened. */
export class FolderTree {
  readonly #read: (folder: string) => Promise<readonly TreeFolder[]>;
  readonly #children = new SvelteMap<string, readonly TreeFolder[]>();
  readonly #open = new SvelteSet<string>();
  #revision: number | undefined;
  /** Which reading of a folder is its latest. */
  readonly #readings = new Map<string, number>();

  /** @param read the folders in a folder; may fail, and is asked again at the next reason */
  constructor(read: (folder: string) => Promise<readonly TreeFolder[]>) {
    this.#read = read;
  }

  /** Those that can be seen, in their order. */
  get lines(): readonly (TreeLine | TreeRest)[] {
    const lines: (TreeLine | TreeRest)[] = [];
    this.#list(TOP, '', 1, new Set(), lines);
    return lines;
  }

  /** Reads again all that is in sight. @param revision of the drive; nothing is read twice for the same */
  async reread(revision: number): Promise<void> {
    if (this.#revision === revision) return;
    this.#revision = revision;
    await Promise.all([TOP, ...this.#open].map((folder) => this.#load(folder)));
  }

  async open(folder: string): Promise<void> {
    if (this.#open.has(folder)) return;
    this.#open.add(folder);
    await this.#load(folder);
  }

  close(folder: string): void {
    this.#open.delete(folder);
  }

  async #load(folder: string): Promise<void> {
    const reading = (this.#readings.get(folder) ?? 0) + 1;
    this.#readings.set(folder, reading);
    try {
      const folders = await this.#read(folder);
      if (this.#readings.get(folder) === reading) this.#children.set(folder, folders);
    } catch {
      if (!this.#children.has(folder)) this.#open.delete(folder);
    }
  }

  /** @param above guards against a folder that is said to be in itself */
  #list(
    parent: string,
    name: string,
    level: number,
    above: ReadonlySet<string>,
    lines: (TreeLine | TreeRest)[],
  ): void {
    const all = this.#children.get(parent) ?? [];
    const listed = all.slice(0, LISTED_FOLDERS);
    for (const [index, folder] of listed.entries()) {
      if (above.has(folder.folder)) continue;
      const isOpen = folder.hasFolders && this.#open.has(folder.folder);
      lines.push({ ...folder, parent, level, position: index + 1, siblings: all.length, isOpen });
      if (isOpen)
        this.#list(folder.folder, folder.name, level + 1, new Set([...above, folder.folder]), lines);
    }
    const count = all.length - listed.length;
    if (count > 0) lines.push({ of: parent, name, level, count });
  }
}
