import { HalfkeyError } from '../../errors.ts';
import type { Holdup } from '../../protocol/transfer.ts';
import type { SealedUpload, StoredUpload } from '../../store/database.ts';
import type { Adopter } from '../adoption/adopting.ts';
import { sealedParts, splitDigests } from './capturing.ts';
import { holdupOf } from '../holdup.ts';
import { InboxWriter } from '../adoption/inbox-writer.ts';
import { placeOf, versionOf } from './label.ts';
import { UploadQueue } from './upload-queue.ts';
import { digestOf, sendBlob, TINY_BYTES } from './sending.ts';
import { wipeKey, type UploadItem, type UploadDeps } from './upload-item.ts';
import { hasGrant } from '../../vault/open-vault.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';
import { LOCKS } from '../../concurrency/locks.ts';

/** What ends a capture, which tells it itself. */
const CAPTURE_ENDS = new Set(['device_full', 'source_changed']);
/**
 * The inbox has no room for it, or not for what this device has signed before it had new keys: it waits here for a
 * code.
 */
const WAITS_HERE = new Set(['inbox_full', 'input_malformed']);
/** What a code mends, or the network: until then the inbox keeps it. */
const NOT_NOW = new Set(['locked', 'grant_missing', 'grant_spent']);

function sizeOf(stored: StoredUpload | undefined): 'tiny' | 'small' | 'large' {
  if (stored?.partCount !== 1) return 'large';
  return stored.mode === 'device' && stored.sealedBytes <= TINY_BYTES ? 'tiny' : 'small';
}

export interface UploadSenderEvents {
  /** The journal names it, and nothing of it is needed here any more. */
  readonly onAdopted: (item: UploadItem) => Promise<void>;
  /** It waits for a code: in the inbox, or here. */
  readonly onWaiting: (item: UploadItem) => void;
  /** Its record is gone: another tab has ended it. */
  readonly onGone: (item: UploadItem) => void;
  /** Nothing is stored on this device that could be sent: the file has to be picked again. */
  readonly onLost: (item: UploadItem) => Promise<void>;
}

/** Sends what is captured and sees it into the drive, or where there is no grant into the inbox. */
export class UploadSender {
  readonly #deps: UploadDeps;
  readonly #adopter: Adopter;
  readonly #events: UploadSenderEvents;
  readonly #inbox: InboxWriter;
  readonly #queue: UploadQueue;

  constructor(deps: UploadDeps, adopter: Adopter, events: UploadSenderEvents) {
    this.#deps = deps;
    this.#adopter = adopter;
    this.#events = events;
    this.#inbox = new InboxWriter(deps.broker, deps.sending.connection.broker);
    this.#queue = new UploadQueue(deps.locks);
  }

  /** Why nothing is sent for now; undefined while it is. */
  get holdup(): Holdup | undefined {
    return holdupOf(this.#deps.sending.connection);
  }

  /**
   * Sends it when its turn comes. One that is being captured here may be offered already: its parts go as they come.
   * @returns a promise that resolves when it was sent, or could not be
   */
  offer(item: UploadItem): Promise<void> {
    return this.#queue.offer({
      blob: item.blob,
      size: sizeOf(item.stored),
      run: () => this.#run(item),
    });
  }

  /** Resolves when nothing of it is being sent, or about to be. */
  over({ blob }: UploadItem): Promise<void> {
    return this.#queue.over(blob);
  }

  withdraw({ blob }: UploadItem): void {
    this.#queue.withdraw(blob);
  }

  /** Nothing new begins; what is under way is the caller's to abort. */
  clear(): void {
    this.#queue.clear();
  }

  async #run(item: UploadItem): Promise<{ rest: Promise<void> }> {
    let leaveLine: () => void = () => undefined;
    const hasLeft = new Promise<void>((resolve) => {
      leaveLine = resolve;
    });
    const { signal } = item.controller;
    const work = async () => {
      try {
        const uploaded = await this.#send(item);
        leaveLine();
        if (uploaded) await this.#arrive(item, uploaded);
      } catch (error) {
        // Anyone who called it off, or has it rest, says what became of it.
        if (!signal.aborted) await this.#failed(item, error);
      }
    };
    const rest = this.#held(item, work).finally(leaveLine);
    await hasLeft;
    return { rest };
  }

  /**
   * Under the lock of its capture, where that goes on here; else under its own, which anyone who captured it is about
   * to leave.
   */
  async #held(item: UploadItem, work: () => Promise<void>): Promise<void> {
    if (item.supply) {
      item.departure = work();
      await item.departure;
      item.departure = undefined;
      return;
    }
    const { records, locks } = this.#deps;
    const stored = await records.read(item.blob);
    if (stored?.state === 'capturing') return; // Another tab is at it, or was when it crashed.
    const { signal } = item.controller;
    await locks.request(LOCKS.upload(item.blob), { signal }, work).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** @returns undefined when there is nothing to be sent, or nothing more to be done */
  async #send(item: UploadItem): Promise<SealedUpload | undefined> {
    const { records, sending, files, news } = this.#deps;
    const { signal } = item.controller;
    const { entry, blob } = item;
    signal.throwIfAborted();
    if (item.isPaused && !item.supply) return undefined;
    let stored: StoredUpload | undefined = await records.read(blob);
    if (!stored) this.#events.onGone(item);
    if (!stored || stored.state === 'saved') return undefined;
    if (stored.state === 'uploaded') return stored;
    if (stored.state === 'sealed') stored = (await records.advance(blob, 'uploading')) ?? stored;
    const supply = item.supply ?? (stored.state === 'capturing' ? undefined : sealedParts(files, stored));
    if (!supply) return undefined;
    const phase = () => (item.supply ? 'encrypting' : 'uploading');
    const { holdup } = this;
    if (holdup) entry.waitForNetwork(holdup);
    else entry.enter(phase());
    if (stored.partCount === 1) this.#prepare(item, stored);
    await sendBlob(sending, stored, supply, signal, {
      onSent: (doneBytes) => {
        // Where the line is dead, bytes leave all the same: they go no further than the next machine.
        if (!this.holdup && !entry.ended && entry.phase !== phase()) entry.enter(phase());
        const isDue = entry.progress(doneBytes);
        if (isDue && !this.holdup) news.tell({ kind: 'progress', blob, phase: phase(), doneBytes });
      },
      onVerifying: async (parts) => {
        entry.enter('verifying');
        await item.whenSent?.(parts);
      },
    });
    return this.#advance(item, 'uploaded');
  }

  /** A small file's key is made while it is on its way. */
  #prepare({ contentKey }: UploadItem, { blob, epoch }: StoredUpload): void {
    if (contentKey && hasGrant(this.#deps.vault())) this.#adopter.prepare({ blob, epoch, contentKey });
  }

  async #arrive(item: UploadItem, uploaded: SealedUpload): Promise<void> {
    const { vault, files, news } = this.#deps;
    const { entry, blob } = item;
    entry.safe(true);
    entry.enter('verifying');
    if (await this.#adoptNow(item, uploaded)) {
      await this.#events.onAdopted(item);
      return;
    }
    wipeKey(item);
    if (vault().journal.state.hasBlob(blob)) {
      await this.#events.onAdopted(item);
      return;
    }
    if (uploaded.awaitsFolder) await this.#folderFirst(item);
    if (await this.#saveToInbox(uploaded)) {
      await this.#advance(item, 'saved');
      await files.remove(blob);
      item.source = undefined;
      news.tell({ kind: 'changed', blob });
      entry.enter('waiting-for-code');
    } else entry.waitHereForCode();
    this.#events.onWaiting(item);
  }

  /** Another device would not know the folder that it names, and put it into the top one. */
  async #folderFirst({ blob, label, controller }: UploadItem): Promise<void> {
    const { sending, folders, records } = this.#deps;
    await sending.connection.broker.attempt(() => folders.ensure([label.folder]), controller.signal);
    await records.folderKnown(blob);
  }

  /** @returns false when it waits on this device */
  async #saveToInbox({ vault, blob, inboxRecord }: SealedUpload): Promise<boolean> {
    try {
      await this.#inbox.write(vault, blob, inboxRecord);
      return true;
    } catch (error) {
      if (error instanceof HalfkeyError && WAITS_HERE.has(error.code)) return false;
      throw error;
    }
  }

  /** @returns false when that is for a device with a grant, which finds it in the inbox */
  async #adoptNow({ contentKey, label, controller }: UploadItem, uploaded: SealedUpload): Promise<boolean> {
    if (!contentKey || !hasGrant(this.#deps.vault())) return false;
    const key = contentKey.slice(); // A lock in the middle wipes the other one, and what is sealed must never be zeros.
    using _key = wipeAtEnd(key);
    const digest = await digestOf(uploaded, splitDigests(uploaded.partDigests));
    const version = versionOf(label, { ...uploaded, digest });
    try {
      await this.#adopter.adopt({ ...placeOf(label), contentKey: key, version }, controller.signal);
      return true;
    } catch (error) {
      const isLater =
        error instanceof HalfkeyError && (NOT_NOW.has(error.code) || error.family === 'unreachable');
      if (isLater) return false;
      throw error;
    }
  }

  async #failed(item: UploadItem, error: unknown): Promise<void> {
    const { entry } = item;
    if (error instanceof HalfkeyError && error.code === 'grant_missing') {
      entry.waitHereForCode(); // As much of this device is on its way, or waits there, as may without one.
      return;
    }
    const isStreamed = item.stored?.mode === 'streamed';
    const isCapturedHere = item.supply !== undefined && !isStreamed;
    if (isCapturedHere && error instanceof HalfkeyError && CAPTURE_ENDS.has(error.code)) return;
    const isLost =
      error instanceof HalfkeyError &&
      (error.code === 'device_state_lost' || (isStreamed && error.code === 'upload_lost'));
    if (isLost) {
      await this.#events.onLost(item);
      return;
    }
    // S3 has swept what was not adopted within a week: the next try sends it again.
    const isSwept = error instanceof HalfkeyError && error.code === 'upload_lost';
    if (isSwept && item.stored?.state === 'uploaded') {
      item.stored = (await this.#deps.records.advance(item.blob, 'uploading')) ?? item.stored;
    }
    entry.fail(error);
  }

  /** @throws the signal's reason when it was removed meanwhile */
  async #advance(item: UploadItem, to: 'uploaded' | 'saved'): Promise<SealedUpload> {
    const stored = await this.#deps.records.advance(item.blob, to);
    if (!stored) throw new DOMException('the upload was removed', 'AbortError');
    item.stored = stored;
    return stored;
  }
}
