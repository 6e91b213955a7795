import type { BlobId } from '$contract/ids.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Version } from '../../journal/entries/operations.ts';
import type { StoredKept } from '../../store/database.ts';
import type { KeptRecords } from '../../store/kept-records.ts';
import type { PartFiles } from '../../store/part-files.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import { readSealed, type KeptParts } from './opening.ts';
import { LOCKS } from '../../concurrency/locks.ts';

export interface KeepingDeps {
  readonly vault: () => OpenVault;
  readonly records: KeptRecords;
  readonly files: PartFiles;
  readonly locks: Pick<LockManager, 'request'>;
  /** What is kept is another now, by what happened here: lists show it, and other tabs want to know. */
  readonly onChange: () => void;
  /** The same by what another tab did. */
  readonly onShown: () => void;
}

/**
 * Versions whose ciphertext stays on this device. Opening one wants a code all the same: it is only the network that it
 * spares.
 */
export class Keeping {
  readonly #deps: KeepingDeps;
  readonly #kept = new Map<string, StoredKept>();
  readonly #fetching = new Map<string, AbortController>();

  constructor(deps: KeepingDeps) {
    this.#deps = deps;
  }

  /** Learns what is kept, removes what was not asked for, and goes on with what was not fetched whole. */
  async resume(): Promise<void> {
    const { files } = this.#deps;
    const folders = await files.list(); // Before the records: anyone who makes a folder has made its record.
    await this.reload();
    for (const folder of folders) if (!this.#kept.has(folder)) await files.remove(folder);
    await this.settle();
  }

  /** Another tab has changed what is kept. */
  async reload(): Promise<void> {
    const all = await this.#deps.records.list();
    this.#kept.clear();
    for (const kept of all) this.#kept.set(kept.blob, kept);
    this.#deps.onShown();
  }

  /** Whether a version is here. */
  stateOf(blob: string): 'no' | 'keeping' | 'kept' {
    const kept = this.#kept.get(blob);
    if (!kept) return 'no';
    return kept.isWhole ? 'kept' : 'keeping';
  }

  /**
   * Keeps a file's newest version from now on. Resolves when all of it is here, or when the network is gone: then it is
   * fetched later.
   * @throws {HalfkeyError} `not_found`; `device_full`, `digest_mismatch`: then it is not kept
   */
  async keep(file: string): Promise<void> {
    const version = this.#deps.vault().journal.state.newestVersion(file);
    if (!version) throw new HalfkeyError('not_found', 'the journal has no such file');
    const { blob, sealedBytes } = version;
    if (!this.#kept.has(blob)) await this.#note({ blob, file, sealedBytes, isWhole: false });
    await this.#fetch(file, version);
  }

  /** No version of a file is kept any longer. */
  async drop(file: string): Promise<void> {
    for (const kept of [...this.#kept.values()]) if (kept.file === file) await this.#forget(kept.blob);
  }

  /** The parts of a version, where all of them are here. */
  partsOf(blob: string): KeptParts | undefined {
    if (this.#kept.get(blob)?.isWhole !== true) return undefined;
    const forget = () => void this.#forget(blob).catch(() => undefined); // Else it is found again, and wrong again.
    return {
      part: async ({ partNumber, sizeBytes }) => {
        const part = await this.#deps.files.read(blob, partNumber);
        if (part?.size === sizeBytes) return part;
        forget(); // The browser took it away.
        return undefined;
      },
      onWrong: forget,
    };
  }

  /** What the journal names no more goes; what is not here whole is fetched. Never rejects because of the network. */
  async settle(): Promise<void> {
    const { state } = this.#deps.vault().journal;
    for (const { blob, file, isWhole } of [...this.#kept.values()]) {
      const version = state.versionsOf(file).find((each) => each.blob === blob);
      if (!version) await this.#forget(blob);
      else if (!isWhole) void this.#fetch(file, version).catch(() => undefined); // Then it is not kept.
    }
  }

  /** Of what is here, or on its way here. */
  total(): { count: number; sizeBytes: number } {
    const all = [...this.#kept.values()];
    return { count: all.length, sizeBytes: all.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0) };
  }

  /** Nobody is signed in any more. */
  close(): void {
    for (const controller of this.#fetching.values()) controller.abort();
    this.#fetching.clear();
    this.#kept.clear();
  }

  async #fetch(file: string, version: Version): Promise<void> {
    const { blob, sealedBytes } = version;
    if (this.#fetching.has(blob) || this.#kept.get(blob)?.isWhole !== false) return;
    const controller = new AbortController();
    this.#fetching.set(blob, controller);
    try {
      await this.#deps.locks.request(LOCKS.kept(blob), { ifAvailable: true }, async (lock) => {
        if (!lock) return; // Another tab does it.
        await this.#write(version, controller.signal);
        await this.#note({ blob, file, sealedBytes, isWhole: true });
      });
    } catch (error) {
      if (controller.signal.aborted) return;
      if (error instanceof HalfkeyError && error.family === 'unreachable') return;
      await this.#forget(blob);
      throw error;
    } finally {
      this.#fetching.delete(blob);
    }
  }

  /** The last part comes only after the digest of all was found to be the journal's. */
  async #write(version: Version, signal: AbortSignal): Promise<void> {
    const { vault, files } = this.#deps;
    const stored = { ...version, blob: version.blob as BlobId };
    let partNumber = 0;
    for await (const bytes of readSealed(vault(), stored, signal)) {
      await files.write(version.blob, ++partNumber, bytes);
    }
  }

  async #note(kept: StoredKept): Promise<void> {
    await this.#deps.records.save(kept);
    this.#kept.set(kept.blob, kept);
    this.#deps.onChange();
  }

  async #forget(blob: string): Promise<void> {
    const { records, files, onChange } = this.#deps;
    this.#fetching.get(blob)?.abort();
    this.#kept.delete(blob);
    onChange();
    await records.remove(blob);
    await files.remove(blob);
  }
}
