import type { EntryPlace, EntryRow, FileRow, FileVersion } from '../protocol/drive.ts';
import type { Factor } from '../protocol/session.ts';
import type { CryptoWorker } from '../platform/crypto-worker.ts';
import type { Announcer } from './announcer.svelte.ts';
import type { Notice } from './notice.svelte.ts';
import { ARRANGED, deletedForGood, NOT_DONE } from './texts/en.ts';
import type { Toast } from './toast.svelte.ts';

/** Files and folders that something is done to. */
export interface Chosen {
  readonly entries: readonly string[];
  /** The name of the only one; undefined when there are more, or it is not known. */
  readonly name?: string;
}

interface Tools {
  readonly worker: CryptoWorker;
  readonly notice: Notice;
  readonly toast: Toast;
  readonly announcer: Announcer;
}

/**
 * Puts files and folders where people want them. All of it works offline and while locked. What answers a dialog throws;
 * of all else what fails is noticed, and what was done is told with a way to undo it.
 */
export class Arranging {
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** @returns the id of the folder. @throws {HalfkeyError} `name_malformed`, `already_exists`, `not_found` */
  async addFolder(parent: string, name: string): Promise<string> {
    return (await this.#tools.worker.send('folder/add', { parent, name })).folder;
  }

  /** @throws {HalfkeyError} `name_malformed`, `already_exists`, `not_found` */
  rename({ entry }: EntryRow, name: string): Promise<void> {
    return this.#tools.worker.send('entry/rename', { entry, name });
  }

  /** @param to the name of the folder */
  move({ entries, name }: Chosen, folder: string, to: string): void {
    const places = entries.map((entry) => ({ entry, folder }));
    this.#watch(NOT_DONE.moved, async () => {
      const moved = await this.#place(places);
      if (moved.length === 0) return;
      this.#tools.toast.show(ARRANGED.moved(moved.length, name, to), () => {
        this.#watch(NOT_DONE.undone, () => this.#place(moved));
      });
    });
  }

  trash({ entries, name }: Chosen): void {
    this.#watch(NOT_DONE.trashed, async () => {
      const { trashed } = await this.#tools.worker.send('entries/trash', { entries });
      if (trashed.length === 0) return;
      this.#tools.toast.show(ARRANGED.trashed(trashed.length, name), () => {
        this.#watch(NOT_DONE.undone, () => this.#tools.worker.send('entries/restore', { entries: trashed }));
      });
    });
  }

  /** What was put into the trash before this time, ms since 1970. */
  async inTrash(beforeMs: number): Promise<readonly string[]> {
    return (await this.#tools.worker.send('trash/read', { beforeMs })).entries;
  }

  restore({ entries, name }: Chosen): void {
    this.#watch(NOT_DONE.restored, async () => {
      const { restored } = await this.#tools.worker.send('entries/restore', { entries });
      if (restored.length > 0) this.#tools.toast.show(ARRANGED.restored(restored.length, name));
    });
  }

  favour({ entries }: Chosen, isFavourite: boolean): void {
    this.#watch(NOT_DONE.favoured, () => this.#tools.worker.send('entries/favour', { entries, isFavourite }));
  }

  /** @throws {HalfkeyError} `name_malformed` for what cannot be a tag */
  tag({ entries }: Chosen, add: readonly string[], remove: readonly string[]): Promise<void> {
    return this.#tools.worker.send('entries/tag', { entries, add, remove });
  }

  /**
   * Deletes for good, folders with all that is in them, and files that were deleted before.
   * @throws {HalfkeyError} when the code is refused, or what was meant is gone
   */
  async purge({ entries, name }: Chosen, also: readonly string[], factor: Factor): Promise<void> {
    const { count } = await this.#tools.worker.send('entries/purge', { entries, also, factor });
    this.#tools.toast.dismiss(); // What it offers to undo may be gone for good.
    this.#tools.announcer.say(deletedForGood(count, name));
  }

  /** Makes an earlier version the newest; the one that was, stays as an earlier one. */
  restoreVersion({ entry, name }: FileRow, { blob }: FileVersion): void {
    this.#watch(NOT_DONE.versionRestored, async () => {
      await this.#tools.worker.send('version/restore', { file: entry, blob });
      this.#tools.toast.show(ARRANGED.versionRestored(name));
    });
  }

  /** @throws {HalfkeyError} when the code is refused, or the version is gone */
  async purgeVersion({ entry, name }: FileRow, { blob }: FileVersion, factor: Factor): Promise<void> {
    await this.#tools.worker.send('versions/purge', { file: entry, blobs: [blob], factor });
    this.#tools.announcer.say(ARRANGED.versionPurged(name));
  }

  /** @returns where those were that are somewhere else now */
  async #place(places: readonly EntryPlace[]): Promise<readonly EntryPlace[]> {
    return (await this.#tools.worker.send('entries/move', { places })).moved;
  }

  #watch(tried: string, action: () => Promise<unknown>): void {
    void this.#tools.notice.watch(tried, action);
  }
}
