import { Semaphore } from '../concurrency/semaphore.ts';

// Whole folders, as a picker or a drop gives them: which folders there are, which files are in which, and what could
// not be read. Nothing is left out in silence.

/** A folder that somebody brings along. */
interface BroughtFolder {
  readonly name: string;
  /** Index of the folder that it is in; undefined for what was chosen itself. Those above come first. */
  readonly within: number | undefined;
}

export interface BroughtFile {
  readonly source: File;
  /** Index of its folder; undefined for what was chosen itself. */
  readonly within: number | undefined;
}

/** What somebody brings along. */
export interface Brought {
  readonly folders: readonly BroughtFolder[];
  readonly files: readonly BroughtFile[];
  /** Paths of what could not be read: symbolic links that lead nowhere, files without permission, and what is too deep. */
  readonly unread: readonly string[];
}

/** Deeper than this is only what leads back into itself. */
const MAX_LEVELS = 200;

/** A browser asks the system for each: one after the other takes long, all at once is more than some allow. */
const AT_ONCE = 16;

/** What is read of `FileSystemEntry`. */
export interface BroughtEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/**
 * What a picker gives, or the clipboard: files, those of a folder with their `webkitRelativePath`. Of empty folders it
 * says nothing.
 */
export function broughtByPicker(picked: readonly File[]): Brought {
  const folders: BroughtFolder[] = [];
  const known = new Map<string, number>();
  const folderOf = (path: readonly string[]): number | undefined => {
    const name = path.at(-1);
    if (name === undefined) return undefined;
    const key = path.join('/');
    const there = known.get(key);
    if (there !== undefined) return there;
    const within = folderOf(path.slice(0, -1));
    const index = folders.push({ name, within }) - 1;
    known.set(key, index);
    return index;
  };
  const files = picked.map((source) => ({
    source,
    within: folderOf(source.webkitRelativePath.split('/').slice(0, -1)),
  }));
  return { folders, files, unread: [] };
}

/** Both, one after the other. */
export function together(first: Brought, second: Brought): Brought {
  const { length } = first.folders;
  const later = <Each extends { within: number | undefined }>(each: Each): Each => ({
    ...each,
    within: each.within === undefined ? undefined : each.within + length,
  });
  return {
    folders: [...first.folders, ...second.folders.map(later)],
    files: [...first.files, ...second.files.map(later)],
    unread: [...first.unread, ...second.unread],
  };
}

/**
 * What was dropped, to be asked for within the event: afterwards the browser gives nothing away.
 * @returns reads it, which takes as long as it takes
 */
export function takeDropped(transfer: DataTransfer): () => Promise<Brought> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const taken = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  return () => {
    const entries = taken.flatMap(({ entry, file }) => entry ?? (file ? [asEntry(file)] : []));
    return readEntries(entries);
  };
}

/** Reads folders to their end. */
export async function readEntries(entries: readonly BroughtEntry[]): Promise<Brought> {
  const folders: BroughtFolder[] = [];
  const files: { at: number; file: BroughtFile }[] = [];
  const unread: string[] = [];
  let order = 0;
  const gate = new Semaphore(AT_ONCE);

  async function read(
    entry: BroughtEntry,
    within: number | undefined,
    path: readonly string[],
  ): Promise<void> {
    const here = [...path, entry.name];
    const at = order++;
    try {
      if (!entry.isDirectory) {
        const source = await gate.pass(() => fileOf(entry as FileSystemFileEntry));
        files.push({ at, file: { source, within } });
        return;
      }
      if (here.length > MAX_LEVELS) throw new RangeError('too deep');
      const children = await gate.pass(() => childrenOf(entry as FileSystemDirectoryEntry));
      const index = folders.push({ name: entry.name, within }) - 1;
      await Promise.all(children.map((child) => read(child, index, here)));
    } catch {
      unread.push(here.join('/'));
    }
  }

  await Promise.all(entries.map((entry) => read(entry, undefined, [])));
  files.sort((a, b) => a.at - b.at);
  return { folders, files: files.map(({ file }) => file), unread };
}

/** A browser gives a file without an entry where it comes from no file system: a picture from a page, say. */
function asEntry(file: File): FileSystemFileEntry {
  const entry = {
    ...{ name: file.name, isFile: true, isDirectory: false },
    file: (give: (file: File) => void) => {
      give(file);
    },
  };
  return entry as unknown as FileSystemFileEntry;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}

/** Chromium gives a hundred at a time, and nothing more at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return children;
    children.push(...some);
  }
}
