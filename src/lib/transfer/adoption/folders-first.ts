import type { FoldedVault } from '../../journal/state/folded-vault.ts';
import { ROOT } from '../../journal/entries/operations.ts';
import type { OpenVault } from '../../vault/open-vault.ts';

/** Whether the journal knows a folder, be it in the trash. */
export function isKnownFolder(state: FoldedVault, folder: string): boolean {
  return folder === ROOT || state.entry(folder) !== undefined;
}

/**
 * Sees to it that folders are in the journal before anything there, or in the inbox, names them: one that was made on
 * this device waits with the other changes until there is a network.
 */
export class FoldersFirst {
  readonly #vault: () => OpenVault;
  readonly #flush: () => Promise<void>;
  #flushing: Promise<void> | undefined;

  /** @param flush writes the changes that wait into the journal, or throws */
  constructor(vault: () => OpenVault, flush: () => Promise<void>) {
    this.#vault = vault;
    this.#flush = flush;
  }

  /**
   * One that is not known afterwards is gone.
   * @throws {HalfkeyError} as `Journal.append`
   */
  async ensure(folders: readonly string[]): Promise<void> {
    const areKnown = () => folders.every((folder) => isKnownFolder(this.#vault().journal.state, folder));
    if (areKnown()) return;
    // What others had begun to write before these were made may not have all of them.
    if (this.#flushing) await this.#flushing.catch(() => undefined);
    if (areKnown()) return;
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }
}
