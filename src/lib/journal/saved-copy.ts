import { equalBytes, type Bytes } from '../bytes.ts';
import { HEADER_BYTES } from '../crypto/floe.ts';
import { HalfkeyError } from '../errors.ts';
import type { JournalHead, JournalKey } from './entries/segment.ts';
import { openLocalCopy, sealLocalCopy, type LocalCopy } from './local-copy.ts';
import type { JournalCache } from './ports.ts';

/** Entries up to which the copy is written after each change; beyond, after so many segments. */
const SMALL_VAULT_ENTRIES = 2000;
const SEGMENTS_PER_SAVE = 16;

/**
 * The copy of a journal on this device's disk, which each tab writes: never older than what another tab has left there.
 */
export class SavedCopy {
  readonly #key: JournalKey;
  readonly #cache: JournalCache;
  readonly #current: () => LocalCopy;
  readonly #moreWasSeen: (head: JournalHead) => void;
  #seq = -1;
  /** How the copy begins that this tab knows: each seal has a random header of its own. */
  #header: Bytes | undefined;
  #saving: Promise<void> | undefined;

  /**
   * @param current what is to be written
   * @param moreWasSeen another tab's copy is further on, or of another history: it stays, and the journal is to be
   *   measured by it
   */
  constructor(
    key: JournalKey,
    cache: JournalCache,
    current: () => LocalCopy,
    moreWasSeen: (head: JournalHead) => void,
  ) {
    this.#key = key;
    this.#cache = cache;
    this.#current = current;
    this.#moreWasSeen = moreWasSeen;
  }

  /** This is what is stored: the journal began with it. */
  isAt(head: JournalHead, sealed: Bytes): void {
    this.#seq = head.seq;
    this.#header = sealed.slice(0, HEADER_BYTES);
  }

  /** What is stored is to be written anew, although the place is the same. */
  outdate(): void {
    this.#seq = -1;
  }

  /**
   * A large vault takes a while to write, so not each of its segments does. What goes wrong is tried again with the
   * next change.
   */
  schedule(): void {
    const { state, head } = this.#current();
    const behind = head.seq - this.#seq;
    const isSmall = state.entries.ids.length <= SMALL_VAULT_ENTRIES;
    if (this.#saving || behind < (isSmall || this.#seq < 0 ? 1 : SEGMENTS_PER_SAVE)) return;
    this.#saving = this.#save()
      .finally(() => {
        this.#saving = undefined;
      })
      .then(() => {
        this.schedule();
      })
      .catch(ignoreKnown);
  }

  /** Resolves when the copy is up to date. @throws {HalfkeyError} `device_full` */
  async flush(): Promise<void> {
    await this.#saving;
    if (this.#seq < this.#current().head.seq) await this.#save();
  }

  async #save(): Promise<void> {
    const copy = this.#current();
    const sealed = await sealLocalCopy(this.#key, copy);
    await this.#cache.save(sealed, async (stored) => {
      const isOwn = this.#header && equalBytes(stored.subarray(0, HEADER_BYTES), this.#header);
      return isOwn === true || this.#givesWay(stored, copy.head);
    });
    this.isAt(copy.head, sealed);
  }

  async #givesWay(stored: Bytes, head: JournalHead): Promise<boolean> {
    const other = await openLocalCopy(this.#key, stored).catch(ignoreKnown);
    if (!other || other.head.seq < head.seq) return true;
    if (equalBytes(other.head.hash, head.hash)) return true;
    this.#moreWasSeen(other.head);
    return false;
  }
}

function ignoreKnown(error: unknown): undefined {
  if (!(error instanceof HalfkeyError)) throw error;
  return undefined;
}
