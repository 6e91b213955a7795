import { concat, type Bytes } from '../../bytes.ts';
import { randomSecret } from '../../crypto/random.ts';
import { HalfkeyError } from '../../errors.ts';
import type { StreamedUpload } from '../../store/database.ts';
import { TINY_BYTES } from './sending.ts';
import type { UploadSender } from './upload-sender.ts';
import { capture, finishRecord, Room, stream } from './capture.ts';
import { Semaphore } from '../../concurrency/semaphore.ts';
import type { BlobPlan } from '../plan.ts';
import { PAUSED, wipeKey, type UploadItem, type UploadDeps } from './upload-item.ts';
import { hasGrant } from '../../vault/open-vault.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';
import { LOCKS } from '../../concurrency/locks.ts';

const CONTENT_KEY_BYTES = 32;
/** Files of one part that are sealed at a time; one of many parts keeps all cores busy by itself. */
const SMALL_AT_ONCE = 4;
/** What costs little but waiting for the disk, which takes many at a time. */
const TINY_AT_ONCE = 50;
const LARGE_AT_ONCE = 1;
/**
 * Below this a file is sealed whole within a second, and nothing is asked of the network before: whatever happens
 * afterwards, it need not be picked again. Of a larger one the first parts go up while the last are sealed, which saves
 * a third of the time.
 */
const OVERLAP_FROM_BYTES = 256 * 1024 * 1024;

/** The way in: files are sealed on this device, or where it has no room for them, part by part as they go up. */
export class Captures {
  readonly #deps: UploadDeps;
  readonly #sender: UploadSender;
  readonly #room: Room;
  readonly #tiny = new Semaphore(TINY_AT_ONCE);
  readonly #small = new Semaphore(SMALL_AT_ONCE);
  readonly #large = new Semaphore(LARGE_AT_ONCE);

  constructor(deps: UploadDeps, sender: UploadSender) {
    this.#deps = deps;
    this.#sender = sender;
    this.#room = new Room(deps.freeBytes);
  }

  /**
   * Takes a file in when its turn comes. What became of it stands in its entry.
   * @returns whether it is sealed, and still to be sent
   */
  async take(item: UploadItem, plan: BlobPlan): Promise<boolean> {
    const isTiny = plan.sealedBytes <= TINY_BYTES;
    const semaphore = isTiny ? this.#tiny : plan.partCount === 1 ? this.#small : this.#large;
    const { signal } = item.controller;
    try {
      await semaphore.pass(() =>
        this.#deps.locks.request(LOCKS.upload(item.blob), { signal }, () => this.#takeInNow(item, plan)),
      );
      // What was sent while it was sealed is through; else its turn comes now that its lock is free.
      return item.stored?.state === 'sealed' && !item.entry.ended;
    } catch (error) {
      if (!signal.aborted) this.#failed(item, error);
      return false;
    }
  }

  async #takeInNow(item: UploadItem, plan: BlobPlan): Promise<void> {
    const { source, stored } = item;
    item.controller.signal.throwIfAborted();
    if (!source) throw new TypeError('expected a file');
    if (stored?.mode === 'streamed') {
      item.contentKey ??= await this.#deps.openDraft(stored);
      await this.#stream({ ...item, source, contentKey: item.contentKey }, item, plan, stored);
      return;
    }
    const withNewKey = () => {
      const contentKey = (item.contentKey = randomSecret(CONTENT_KEY_BYTES));
      return { ...item, source, contentKey };
    };
    const giveBack = await this.#room.claim(plan.sealedBytes);
    const isCaptured = giveBack && (await this.#capture(withNewKey(), item, plan).finally(giveBack));
    if (!isCaptured) await this.#stream(withNewKey(), item, plan, undefined);
  }

  /**
   * @param taken the item as it was when its turn came
   * @returns false when there was less room than the browser had said: nothing of it is left then
   */
  async #capture(
    taken: UploadItem & { source: File; contentKey: Bytes },
    item: UploadItem,
    plan: BlobPlan,
  ): Promise<boolean> {
    let offered: Promise<void> | undefined;
    try {
      item.entry.enter('encrypting');
      const sealed = capture(this.#deps, taken, plan, (parts, upload) => {
        item.supply = parts;
        item.stored = upload;
        item.whenSent = async () => {
          await sealed;
        };
        if (plan.sealedBytes >= OVERLAP_FROM_BYTES && !item.isPaused) offered = this.#sender.offer(item);
      });
      item.stored = await sealed;
    } catch (error) {
      item.stored = undefined;
      wipeKey(item);
      const isFull = error instanceof HalfkeyError && error.code === 'device_full';
      if (!isFull || item.controller.signal.aborted) throw error;
      await offered; // What was sent of it ends with it.
      return false;
    } finally {
      item.supply = undefined;
    }
    item.source = undefined;
    item.entry.safe(true);
    if (!hasGrant(this.#deps.vault())) wipeKey(item);
    this.#deps.news.tell({ kind: 'changed', blob: item.blob });
    if (item.departure && item.isPaused) {
      item.controller.abort(PAUSED);
      item.controller = new AbortController();
      await item.departure;
    } else if (item.departure) {
      const { holdup } = this.#sender;
      if (holdup) item.entry.waitForNetwork(holdup);
      else item.entry.enter('uploading');
      await item.departure;
    }
    return true;
  }

  /** No room for its ciphertext: it goes up part by part, and is safe only once all of it is there. */
  async #stream(
    taken: UploadItem & { source: File; contentKey: Bytes },
    item: UploadItem,
    plan: BlobPlan,
    begun: StreamedUpload | undefined,
  ): Promise<void> {
    const contentKey = taken.contentKey.slice(); // Of its own: a lock does not end what could not go on without it.
    using _contentKey = wipeAtEnd(contentKey);
    try {
      item.entry.enter('encrypting');
      const { parts, upload } = await stream(this.#deps, taken, plan, begun);
      item.supply = parts;
      item.stored = upload;
      item.whenSent = async (digests) => {
        const about = { label: item.label, contentKey };
        item.stored = await finishRecord(this.#deps, about, upload, concat(...digests));
      };
      await this.#sender.offer(item);
    } finally {
      item.supply = undefined;
      item.whenSent = undefined;
    }
  }

  #failed(item: UploadItem, error: unknown): void {
    const isOther = error instanceof HalfkeyError && error.code === 'source_changed';
    if (!isOther || item.stored?.mode !== 'streamed') {
      item.entry.fail(error);
      return;
    }
    item.source = undefined;
    item.entry.askAgain(error);
  }
}
