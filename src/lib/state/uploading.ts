import type { PickedFile } from '../protocol/transfer.ts';
import type { Brought, BroughtFile } from '../platform/folder-reading.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import type { ConflictChoice, NameConflict, NameConflicts } from './name-conflicts.svelte.ts';
import type { Transfers } from './transfers.svelte.ts';

/** Stands for the folder that everything is brought to. */
const HERE = -1;

/** What came of it. */
export interface Uploaded {
  /** Files that are on their way. */
  readonly files: number;
  /** How many of them the live code does not reach for. */
  readonly beyondCode: number;
  /** Folders that were made, or were there. */
  readonly folders: number;
}

interface Tools {
  readonly worker: CryptoWorker;
  readonly transfers: Pick<Transfers, 'upload'>;
  readonly conflicts: Pick<NameConflicts, 'ask'>;
}

/** Brings files and whole folders into a folder; what is there under the same name is asked about first. */
export class Uploading {
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /**
   * Folders that are there are merged into. Nothing is made or added before all questions are answered.
   * @param into id of the folder
   * @returns undefined when it was called off
   * @throws {HalfkeyError} `not_found` when the folder is gone; `file_too_large`: then no file is added
   */
  async bring(brought: Brought, into: string): Promise<Uploaded | undefined> {
    const { worker, transfers, conflicts } = this.#tools;
    const found = await this.#conflicts(brought, into);
    const choices = found.length === 0 ? [] : await conflicts.ask(found.map(({ conflict }) => conflict));
    if (!choices) return undefined;
    const decided = new Map(
      found.map(({ file, conflict }, index) => [file, { conflict, choice: choices[index] ?? 'both' }]),
    );
    const { folders: ids } =
      brought.folders.length === 0
        ? { folders: [] }
        : await worker.send('folders/add', { parent: into, folders: brought.folders });
    const picked = brought.files.flatMap((file): PickedFile[] => {
      const folder = file.within === undefined ? into : ids[file.within];
      if (folder === undefined) throw new TypeError('expected the folder of every file');
      return pickedAs(file, folder, decided.get(file));
    });
    const beyondCode = picked.length === 0 ? 0 : await transfers.upload(picked);
    return { files: picked.length, beyondCode, folders: ids.length };
  }

  /** Only in folders that are there already can a name be taken. */
  async #conflicts(
    { folders, files }: Brought,
    into: string,
  ): Promise<{ file: BroughtFile; conflict: NameConflict }[]> {
    const { worker } = this.#tools;
    const filesIn = byFolder(files.map((file) => ({ within: file.within, is: file })));
    const foldersIn = byFolder(folders.map(({ within }, index) => ({ within, is: index })));
    const found: { file: BroughtFile; conflict: NameConflict }[] = [];
    const there: { index: number; folder: string }[] = [{ index: HERE, folder: into }];
    for (const { index, folder } of there) {
      const [brought, below] = [filesIn.get(index) ?? [], foldersIn.get(index) ?? []];
      const names = [
        ...brought.map(({ source }) => source.name),
        ...below.map((at) => folders[at]?.name ?? ''),
      ];
      if (names.length === 0) continue;
      const { taken } = await worker.send('names/taken', { folder, names });
      const byName = new Map(taken.map((each) => [each.name, each]));
      for (const file of brought) {
        const conflict = byName.get(file.source.name);
        if (conflict) found.push({ file, conflict });
      }
      for (const at of below) {
        const same = byName.get(folders[at]?.name ?? '');
        if (same?.kind === 'folder') there.push({ index: at, folder: same.entry });
      }
    }
    return found;
  }
}

function byFolder<Each>(
  all: readonly { readonly within: number | undefined; readonly is: Each }[],
): Map<number, Each[]> {
  const found = new Map<number, Each[]>();
  for (const { within = HERE, is } of all) {
    const beside = found.get(within);
    if (beside) beside.push(is);
    else found.set(within, [is]);
  }
  return found;
}

/** As a file of its own, as a version of another, or not at all. */
function pickedAs(
  { source }: BroughtFile,
  folder: string,
  decided: { readonly conflict: NameConflict; readonly choice: ConflictChoice } | undefined,
): PickedFile[] {
  if (decided?.choice === 'skip') return [];
  if (decided?.choice === 'version') return [{ source, folder, versionOf: decided.conflict.entry }];
  return [{ source, folder }];
}
