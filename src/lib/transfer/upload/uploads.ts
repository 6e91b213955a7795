import type { BlobId } from '$contract/ids.ts';
import { uploadAbort } from '$contract/vault-blobs.ts';
import { HalfkeyError } from '../../errors.ts';
import type { StoredUpload } from '../../store/database.ts';
import type { Adopter } from '../adoption/adopting.ts';
import { UploadSender } from './upload-sender.ts';
import { Captures } from './captures.ts';
import { isLabelOf, labelOf, openLabel, transferOf, type Label } from './label.ts';
import { TransferTracker, type Reporter } from '../transfer-tracker.ts';
import { newBlobId } from '../blob-id.ts';
import { TINY_BYTES } from './sending.ts';
import { planBlob, type BlobPlan } from '../plan.ts';
import { PAUSED, wipeKey, type UploadItem, type UploadDeps } from './upload-item.ts';
import type { PickedFile, TransferPhase } from '../../protocol/transfer.ts';
import { ROOT } from '../../journal/entries/operations.ts';
import { hasGrant } from '../../vault/open-vault.ts';
import type { UploadNewsMessage } from './upload-news.ts';
import { LOCKS } from '../../concurrency/locks.ts';

/** What comes to be sent, or adopted, by itself. */
const BEFORE_SENDING: ReadonlySet<TransferPhase> = new Set(['waiting', 'encrypting']);
const BEFORE_ADOPTION: ReadonlySet<TransferPhase> = new Set([...BEFORE_SENDING, 'uploading']);
/** Something would happen to these. */
const PAUSABLE: ReadonlySet<TransferPhase> = new Set([
  'waiting',
  'waiting-for-network',
  'encrypting',
  'uploading',
]);
/** Nothing of these is stored here. */
const HAS_LEFT: ReadonlySet<TransferPhase> = new Set(['done', 'cancelled']);

/** What is done with it as soon as it can be. */
function phaseOf(stored: StoredUpload | undefined): 'waiting' | 'uploading' | 'verifying' {
  if (stored?.state === 'uploaded') return 'verifying';
  return stored?.state === 'uploading' ? 'uploading' : 'waiting';
}

/** The files on their way up, from being picked until the journal names them, whichever tab began with them. */
export class Uploads {
  readonly #deps: UploadDeps;
  readonly #reporter: Reporter;
  readonly #sender: UploadSender;
  readonly #captures: Captures;
  /** By transfer. */
  readonly #items = new Map<string, UploadItem>();
  /** By blob: what other tabs have ended before this one knew of it, or while it was still reading of it. */
  readonly #endedUnseen = new Set<string>();

  /** @param onWaiting something more waits for a code: in the inbox, or here */
  constructor(deps: UploadDeps, reporter: Reporter, adopter: Adopter, onWaiting: () => void) {
    this.#deps = deps;
    this.#reporter = reporter;
    this.#sender = new UploadSender(deps, adopter, {
      onAdopted: (item) => this.#end(item, 'done'),
      onWaiting,
      onGone: (item) => {
        this.#letGo(item);
      },
      onLost: (item) => this.#lose(item),
    });
    this.#captures = new Captures(deps, this.#sender);
  }

  /** @throws {HalfkeyError} `file_too_large`: then none of them is taken in; `session_missing` */
  add(files: readonly PickedFile[]): void {
    this.#deps.vault();
    const planned = files.map((picked) => ({ ...picked, plan: planBlob(picked.source.size) }));
    for (const { source, plan, ...place } of planned) {
      const label = labelOf(source, this.#deps.nowMs(), place);
      const item = this.#enter(newBlobId(), label, plan.sealedBytes);
      item.source = source;
      this.#take(item, plan);
    }
  }

  /**
   * The file of an upload that was not taken in whole, picked again: it is captured anew, as what it was to be.
   * @throws {HalfkeyError} `source_changed` when it is another; `not_found` when that upload does not wait for its file
   */
  async again(transfer: string, source: File): Promise<void> {
    const item = this.#items.get(transfer);
    if (item?.entry.phase !== 'waiting-for-file')
      throw new HalfkeyError('not_found', 'no upload waits for a file');
    if (!isLabelOf(item.label, source))
      throw new HalfkeyError('source_changed', 'the file has another name, size or date');
    item.source = source;
    item.controller = new AbortController();
    if (item.stored?.mode === 'streamed') {
      this.grantBought();
      return;
    }
    await this.#discard(item);
    item.blob = newBlobId();
    item.stored = undefined;
    item.entry.enter('waiting');
    this.#take(item, planBlob(source.size));
  }

  /** A code was accepted: drafts can be opened, and what was sent in part goes on. Without a grant: waits for one. */
  grantBought(): void {
    const isOpen = hasGrant(this.#deps.vault());
    for (const item of this.#items.values()) {
      const { source, stored, supply, entry } = item;
      const waitsToBeSent = stored?.state === 'sealed' || stored?.state === 'uploading';
      if (isOpen && waitsToBeSent && entry.phase === 'waiting-for-code') this.#queue(item);
      if (item.isPaused || !source || supply || entry.ended) continue;
      if (stored?.mode !== 'streamed' || stored.state !== 'capturing') continue;
      entry.enter(isOpen ? 'waiting' : 'waiting-for-code');
      if (isOpen) this.#take(item, planBlob(source.size));
    }
  }

  /** @returns false when the id is not of an upload */
  async cancel(transfer: string): Promise<boolean> {
    const item = this.#items.get(transfer);
    if (!item) return false;
    if (item.entry.ended) return true;
    item.controller.abort();
    await this.#end(item, 'cancelled');
    return true;
  }

  /**
   * One that is being taken in is taken in first: it rests once it is sealed.
   * @returns false when the id is not of an upload
   */
  async pause(transfer: string): Promise<boolean> {
    const item = this.#items.get(transfer);
    if (!item) return false;
    if (item.isPaused || !PAUSABLE.has(item.entry.phase)) return true;
    this.#rest(item);
    await this.#tellPaused(item);
    return true;
  }

  /** @returns false when the id is not of an upload */
  async goOn(transfer: string): Promise<boolean> {
    const item = this.#items.get(transfer);
    if (!item) return false;
    if (!item.isPaused) return true;
    item.isPaused = false;
    await this.#tellPaused(item);
    if (item.entry.phase === 'paused') await this.#goOn(item);
    return true;
  }

  retry(transfer: string): void {
    const item = this.#items.get(transfer);
    if (item?.entry.phase !== 'failed') return;
    item.controller = new AbortController();
    this.#queue(item);
  }

  /** Drops an upload that has ended from the list, and what a failed one has left; one under way stays. */
  async dismiss(transfer: string): Promise<void> {
    const item = this.#items.get(transfer);
    if (!item?.entry.ended) return;
    const hasFailed = item.entry.phase === 'failed';
    this.#items.delete(transfer);
    item.entry.forget();
    if (hasFailed) await this.#discard(item);
  }

  /** Takes up what is stored on this device. */
  async resume(): Promise<void> {
    const { records, files } = this.#deps;
    const folders = await files.list(); // Before the records: anyone who makes a folder has made its record.
    const all = await records.list();
    const known = new Set<string>(all.map(({ blob }) => blob));
    for (const folder of folders) if (!known.has(folder)) await files.remove(folder);
    for (const stored of all) await this.#meet(stored);
  }

  /** What another tab, or the service worker, has done. */
  async hear(message: Exclude<UploadNewsMessage, { kind: 'kept' }>): Promise<void> {
    const item = this.#find(message.blob);
    switch (message.kind) {
      case 'progress':
        if (!item || item.supply) return;
        item.entry.enter(message.phase);
        item.entry.progress(message.doneBytes);
        return;
      case 'changed': {
        const stored = await this.#deps.records.read(message.blob);
        if (stored) await this.#meet(stored);
        return;
      }
      case 'ended':
        if (!item) {
          this.#endedUnseen.add(message.blob);
          return;
        }
        item.controller.abort();
        this.#sender.withdraw(item);
        wipeKey(item);
        item.entry.enter(message.how);
        return;
      default:
        message satisfies never;
    }
  }

  /** The journal has changed: what it names is done, whichever device adopted it. */
  async settle(): Promise<void> {
    const { state } = this.#deps.vault().journal;
    for (const item of this.#items.values()) {
      const { stored, entry } = item;
      const hasArrived = (stored?.state === 'saved' || stored?.state === 'uploaded') && !entry.ended;
      if (hasArrived && state.hasBlob(item.blob)) await this.#end(item, 'done');
    }
  }

  /** The grant is over: no content key stays but of what is being sealed. */
  lock(): void {
    for (const item of this.#items.values()) if (!item.supply) wipeKey(item);
  }

  /** The line was found dead, or alive again, or is tried at another time. */
  lineChanged(): void {
    const { holdup } = this.#sender;
    for (const { entry, stored, supply } of this.#items.values()) {
      const isSealed = stored?.state === 'sealed' || stored?.state === 'uploading';
      const isStreamed = stored?.mode === 'streamed' && supply !== undefined;
      const isArriving = stored?.state === 'uploaded' && entry.phase === 'verifying';
      if (entry.phase === 'paused') continue;
      if ((isSealed || isStreamed || isArriving) && holdup && !entry.ended) entry.waitForNetwork(holdup);
      else if (!holdup && entry.phase === 'waiting-for-network') entry.enter(phaseOf(stored));
    }
  }

  /**
   * Whether a tiny file is about to be sent, and prepared for its adoption, or to be adopted: those go by the hundred,
   * and one that comes alone is not held up.
   */
  isMoreComing(where: 'send' | 'adopt'): boolean {
    const before = where === 'adopt' ? BEFORE_ADOPTION : BEFORE_SENDING;
    for (const { entry } of this.#items.values()) {
      if (entry.totalBytes <= TINY_BYTES && before.has(entry.phase)) return true;
    }
    return false;
  }

  /** What a blob becomes where the file that it was to be a new version of is gone; undefined for all others. */
  insteadOf(blob: string): string | undefined {
    return this.#find(blob)?.label.instead;
  }

  /** Those that will want a KMS half each. */
  get unadopted(): number {
    let count = 0;
    for (const { entry } of this.#items.values()) if (!entry.ended) count += 1;
    return count;
  }

  /** What neither journal nor inbox names yet, failed or not: it would be lost with this device's files. */
  waiting(): { count: number; sizeBytes: number } {
    const open = [...this.#items.values()].filter(
      ({ entry, stored }) => stored && stored.state !== 'saved' && !HAS_LEFT.has(entry.phase),
    );
    return {
      count: open.length,
      sizeBytes: open.reduce((sum, { stored }) => sum + (stored?.sealedBytes ?? 0), 0),
    };
  }

  /** Bytes of ciphertext on this device, or soon: once they are captured. */
  restingBytes(): number {
    let sizeBytes = 0;
    for (const { entry, stored } of this.#items.values()) {
      const rests = stored?.mode === 'device' && stored.state !== 'saved' && !HAS_LEFT.has(entry.phase);
      if (rests) sizeBytes += stored.sealedBytes;
    }
    return sizeBytes;
  }

  /** Nobody is signed in any more: all stops where it stands, and what is stored stays. */
  close(): void {
    this.#sender.clear();
    for (const item of this.#items.values()) {
      item.controller.abort(new HalfkeyError('session_missing', 'signed out meanwhile'));
      wipeKey(item);
      item.entry.forget();
    }
    this.#items.clear();
  }

  #find(blob: string): UploadItem | undefined {
    for (const item of this.#items.values()) if (item.blob === blob) return item;
    return undefined;
  }

  #enter(
    blob: BlobId,
    label: Label,
    totalBytes: number,
    initial: ConstructorParameters<typeof TransferTracker>[3] = {},
  ): UploadItem {
    const { name, sizeBytes } = label;
    const transfer = transferOf(label);
    const about = { transfer, direction: 'up', name, totalBytes, sizeBytes } as const;
    const item: UploadItem = {
      blob,
      label,
      entry: new TransferTracker(about, this.#reporter, this.#deps.nowMs, initial),
      controller: new AbortController(),
      stored: undefined,
      source: undefined,
      contentKey: undefined,
      isPaused: false,
      supply: undefined,
      whenSent: undefined,
      departure: undefined,
    };
    this.#items.set(transfer, item);
    return item;
  }

  /** A record that this tab has not seen, or not so. */
  async #meet(stored: StoredUpload): Promise<void> {
    const { vault, epoch, blob, sealedLabel, sealedBytes } = stored;
    const open = this.#deps.vault();
    if (vault !== open.vault) return;
    let item = this.#find(blob);
    if (item?.supply) return; // This tab knows it best.
    const isSafe = stored.state !== 'capturing';
    if (!item) {
      const label = await openLabel(open.vaultKey, { vault, epoch, blob }, sealedLabel);
      if (this.#endedUnseen.has(blob)) return;
      item = this.#find(blob) ?? this.#enter(blob, label, sealedBytes, { isSafe });
    }
    item.stored = stored;
    item.entry.safe(isSafe);
    const wasPaused = item.isPaused;
    item.isPaused = stored.isPaused ?? false;
    if (open.journal.state.hasBlob(blob)) await this.#end(item, 'done');
    else if (item.isPaused && stored.state !== 'capturing') this.#rest(item);
    else if (wasPaused && !item.isPaused) await this.#goOn(item);
    else if (stored.state === 'capturing') await this.#askForFile(item);
    else this.#queue(item);
  }

  /** Unless another tab is at it. */
  async #askForFile(item: UploadItem): Promise<void> {
    await this.#deps.locks.request(LOCKS.upload(item.blob), { ifAvailable: true }, (lock) => {
      item.entry.enter(lock ? 'waiting-for-file' : 'encrypting');
    });
  }

  #queue(item: UploadItem): void {
    if (item.stored?.state === 'saved') {
      item.entry.enter('waiting-for-code');
    } else if (item.stored && !(item.stored.mode === 'streamed' && item.source)) {
      const { holdup } = this.#sender;
      if (holdup) item.entry.waitForNetwork(holdup);
      else item.entry.enter('waiting');
      void this.#sender.offer(item);
    } else if (item.source) {
      item.entry.enter('waiting');
      this.#take(item, planBlob(item.source.size));
    }
  }

  /** What was to be sent is not on this device any more, or S3 forgot what it had of it. */
  async #lose(item: UploadItem): Promise<void> {
    const stored = await this.#deps.records.startOver(item.blob);
    if (!stored) return;
    item.stored = stored;
    item.entry.safe(false);
    item.entry.enter('waiting-for-file');
  }

  /** Ended by another tab, which did not live to tell how. */
  #letGo(item: UploadItem): void {
    wipeKey(item);
    if (this.#deps.vault().journal.state.hasBlob(item.blob)) {
      item.entry.enter('done');
      return;
    }
    this.#items.delete(transferOf(item.label));
    item.entry.forget();
  }

  #take(item: UploadItem, plan: BlobPlan): void {
    void this.#captures.take(item, plan).then(async (isSealed) => {
      if (!isSealed) return;
      if (!item.isPaused) this.#queue(item);
      else {
        this.#rest(item);
        await this.#tellPaused(item);
      }
    });
  }

  async #end(item: UploadItem, how: 'done' | 'cancelled'): Promise<void> {
    wipeKey(item);
    if (how === 'done') this.#tellWhere(item);
    item.entry.enter(how);
    this.#sender.withdraw(item);
    await this.#discard(item, how);
  }

  /** Nothing of it is sent from now on, by this tab; what is being taken in goes on to where it is sealed. */
  #rest(item: UploadItem): void {
    item.isPaused = true;
    const isTakenIn = item.stored?.mode === 'streamed' || (item.stored !== undefined && !item.supply);
    if (!isTakenIn) return;
    item.controller.abort(PAUSED);
    item.controller = new AbortController();
    this.#sender.withdraw(item);
    item.entry.enter('paused');
  }

  async #goOn(item: UploadItem): Promise<void> {
    if (item.stored?.state !== 'capturing') this.#queue(item);
    // What was sending it may be about to end; one that waits for its turn in the queue has not begun.
    await this.#sender.over(item);
    if (item.isPaused || item.entry.ended) return; // Somebody has changed their mind meanwhile.
    if (item.stored?.state !== 'capturing') {
      if (item.entry.phase === 'waiting') this.#queue(item);
    } else if (!item.source) item.entry.enter('waiting-for-file');
    else if (hasGrant(this.#deps.vault())) {
      item.entry.enter('waiting');
      this.#take(item, planBlob(item.source.size));
    } else item.entry.enter('waiting-for-code');
  }

  /** Through a new start, and to other tabs. What is not stored yet is told once it is. */
  async #tellPaused(item: UploadItem): Promise<void> {
    const { records, news } = this.#deps;
    const stored = item.stored && (await records.pause(item.blob, item.isPaused));
    if (!stored) return;
    item.stored = stored;
    news.tell({ kind: 'changed', blob: item.blob });
  }

  /** What it was for may have gone meanwhile. */
  #tellWhere({ blob, label: { file, instead, folder }, entry }: UploadItem): void {
    const { state } = this.#deps.vault().journal;
    const isOf = (id: string) => state.versionsOf(id).some((version) => version.blob === blob);
    if (instead !== undefined && isOf(instead)) entry.landed('own-file');
    else if (folder !== ROOT && isOf(file) && state.entry(file)?.folder === ROOT) entry.landed('top-folder');
  }

  /** Nothing of it stays on this device. That S3 is told to forget its parts is a courtesy that may fail. */
  async #discard({ blob, stored }: UploadItem, how: 'done' | 'cancelled' = 'cancelled'): Promise<void> {
    const { records, files, news, broker } = this.#deps;
    await records.remove(blob);
    await files.remove(blob).catch(() => undefined); // Somebody may be reading it: then it is swept at the next start.
    news.tell({ kind: 'ended', blob, how });
    if (how === 'cancelled' && stored?.uploadId !== undefined) {
      const request = { blob, uploadId: stored.uploadId };
      await broker.call(uploadAbort, request, { vault: stored.vault }).catch(() => undefined);
    }
  }
}
