import { randomId } from '../crypto/random.ts';
import { HalfkeyError } from '../errors.ts';
import type { OpenVault } from '../worker/vault.ts';
import { Adopter } from './adopt.ts';
import { describeFile, type FileAdd } from './describe.ts';
import { Turnstile } from './lanes.ts';
import { LedgerEntry, type Reporter } from './ledger.ts';
import { Upload, type UploadedBlob } from './upload.ts';

/** Files of one part: their cost is round trips, so several go together. */
const SMALL_AT_ONCE = 4;
/** A file of many parts fills the line, and a fixed part of memory, by itself. */
const LARGE_AT_ONCE = 1;

const NEEDS_CODE = new Set(['locked', 'grant_missing', 'grant_spent']);

interface Item {
  readonly file: File;
  readonly entry: LedgerEntry;
  readonly isSmall: boolean;
  /** Until the blob lies in S3; with it goes all the memory that sending takes. */
  upload: Upload | undefined;
  controller: AbortController;
  /** Set when the blob lies in S3: what is left is to adopt it, each time by the same operation. */
  adoptable?: { readonly uploaded: UploadedBlob; readonly operation: FileAdd };
}

/** The files on their way up, from being picked until the journal names them. */
export class Uploads {
  readonly #vault: () => OpenVault;
  readonly #reporter: Reporter;
  readonly #nowMs: () => number;
  readonly #items = new Map<string, Item>();
  readonly #adopter: Adopter;
  readonly #small = new Turnstile(SMALL_AT_ONCE);
  readonly #large = new Turnstile(LARGE_AT_ONCE);

  constructor(vault: () => OpenVault, reporter: Reporter, nowMs: () => number) {
    this.#vault = vault;
    this.#reporter = reporter;
    this.#nowMs = nowMs;
    this.#adopter = new Adopter(vault);
  }

  /** @throws {HalfkeyError} `locked` without a grant: an upload that nobody could finish is not begun; `file_too_large` */
  add(files: readonly File[]): void {
    const vault = this.#vault();
    vault.requireGrant();
    const uploads = files.map((file) => ({ file, upload: new Upload(file, vault) }));
    for (const { file, upload } of uploads) {
      const about = {
        transfer: randomId(),
        direction: 'up',
        name: file.name,
        totalBytes: upload.plan.sealedBytes,
        sizeBytes: upload.plan.sizeBytes,
      } as const;
      const entry = new LedgerEntry(about, this.#reporter, this.#nowMs);
      const isSmall = upload.plan.partCount === 1;
      const item: Item = { file, entry, isSmall, upload, controller: new AbortController() };
      this.#items.set(entry.transfer, item);
      void this.#bringUp(item);
    }
  }

  /** @returns false when the id is not of an upload */
  cancel(transfer: string): boolean {
    const item = this.#items.get(transfer);
    if (!item) return false;
    if (item.entry.ended) return true;
    item.controller.abort();
    item.entry.enter('cancelled');
    abandon(item);
    return true;
  }

  retry(transfer: string): void {
    const item = this.#items.get(transfer);
    if (item?.entry.phase !== 'failed') return;
    item.controller = new AbortController();
    item.entry.enter('waiting');
    void this.#bringUp(item);
  }

  /** Drops an upload that has ended from the list; one under way stays. */
  dismiss(transfer: string): void {
    const item = this.#items.get(transfer);
    if (!item?.entry.ended) return;
    this.#items.delete(transfer);
    item.entry.forget();
    if (item.entry.phase === 'failed') abandon(item);
  }

  /** A code was accepted: what waited for it goes on. */
  grantBought(): void {
    for (const item of this.#items.values()) {
      if (item.entry.phase === 'waiting-for-code') void this.#bringUp(item);
    }
  }

  /** Signed out: everything under way ends. */
  clear(): void {
    for (const transfer of [...this.#items.keys()]) {
      this.cancel(transfer);
      this.dismiss(transfer);
    }
  }

  async #bringUp(item: Item): Promise<void> {
    const { entry, isSmall } = item;
    const { signal } = item.controller;
    try {
      const adoptable = (item.adoptable ??= await (isSmall ? this.#small : this.#large).pass(() =>
        this.#send(item, signal),
      ));
      item.upload = undefined;
      entry.enter('verifying');
      await this.#adopter.adopt({ ...adoptable, signal });
      entry.enter('done');
    } catch (error) {
      if (signal.aborted) entry.enter('cancelled');
      else if (error instanceof HalfkeyError && NEEDS_CODE.has(error.code)) entry.enter('waiting-for-code');
      else entry.fail(error);
    }
  }

  async #send({ file, entry, upload }: Item, signal: AbortSignal): Promise<NonNullable<Item['adoptable']>> {
    signal.throwIfAborted();
    if (!upload) throw new TypeError('expected an upload that is not there yet');
    entry.enter('encrypting');
    const uploaded = await upload.run(signal, {
      onSent: (doneBytes) => {
        entry.progress(doneBytes);
      },
      onPhase: (phase) => {
        entry.enter(phase);
      },
    });
    const { epoch } = this.#vault();
    return { uploaded, operation: describeFile(file, uploaded, { epoch, nowMs: this.#nowMs() }) };
  }
}

/** The parts are of no use to anybody: telling S3 so is a courtesy that may fail. */
function abandon({ upload }: Item): void {
  void upload?.abandon().catch(() => undefined);
}
