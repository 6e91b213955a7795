import { inboxList, inboxRemove, type StoredBlob } from '$contract/vault-inbox.ts';
import type { BlobId } from '$contract/ids.ts';
import { fromB64Url, type Bytes } from '../../bytes.ts';
import { coalesced } from '../../concurrency/coalesced.ts';
import { HalfkeyError } from '../../errors.ts';
import { openRecord, readRecord, type CapturedFile, type SignedRecord } from '../../inbox/record.ts';
import { operationsToRetire, unneededBelow } from '../../journal/state/inbox-epochs.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import type { Adopter } from './adopting.ts';
import { retry } from '../../remote/retry.ts';
import type { InboxKeys } from './inbox-keys.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';
import { LOCKS } from '../../concurrency/locks.ts';

export interface InboxAdoptionDeps {
  /** @throws {HalfkeyError} `session_missing` when nobody is signed in */
  readonly vault: () => OpenVault;
  readonly adopter: Adopter;
  readonly keys: InboxKeys;
  readonly locks: Pick<LockManager, 'request'>;
  readonly nowMs: () => number;
  /** What rests here of a record that this device has put into the inbox. */
  readonly ownRecord: (blob: BlobId) => Promise<Bytes | undefined>;
  /** How many records no trusted device vouches for, or say what they must not; they stay where they are. */
  readonly onRefused: (count: number) => void;
  /** What nobody asked for and trying again does not mend. */
  readonly onFailed: (error: unknown) => void;
}

/** One page of the inbox. */
interface Listed {
  readonly blob: BlobId;
  readonly record: string;
  readonly stored: StoredBlob | null;
}

/** Takes what lies in the inbox into the drive, whoever put it there, while a grant is live. */
export class InboxAdoption {
  readonly #deps: InboxAdoptionDeps;
  readonly #refused = new Set<string>();
  #controller = new AbortController();

  constructor(deps: InboxAdoptionDeps) {
    this.#deps = deps;
  }

  /** Looks into the inbox, once more if a call comes while it does. Without a grant nothing happens. Never rejects. */
  readonly now = coalesced(() => this.#look());

  /** The grant is over: what was opened is closed. */
  close(): void {
    this.#controller.abort(new HalfkeyError('locked', 'locked while the inbox was being read'));
    this.#controller = new AbortController();
    this.#deps.keys.wipe();
  }

  /** @returns whether that went well */
  async #look(): Promise<boolean> {
    const { signal } = this.#controller;
    try {
      this.#deps.vault().requireGrant();
      await this.#deps.locks.request(LOCKS.adoption, () => this.#adoptAll(signal));
      return true;
    } catch (error) {
      if (!isPassing(error)) this.#deps.onFailed(error);
      return false;
    }
  }

  async #adoptAll(signal: AbortSignal): Promise<void> {
    const { vault, nowMs } = this.#deps;
    const refusedBefore = this.#refused.size;
    const unneeded = unneededBelow(vault().journal.state);
    const left = new Set<number>();
    for (let after: BlobId | '' = '', more = true; more;) {
      const { broker, vault: id, journal } = vault();
      const page = await retry(() => broker.call(inboxList, { after }, { vault: id, signal }), signal);
      const last = page.records.at(-1);
      if (last) {
        // A record may be of a device or key that this journal has not heard of yet.
        await retry(() => journal.refresh(), signal);
        await this.#adoptPage(page.records, left, signal);
        after = last.blob;
      }
      more = page.more && last !== undefined;
    }
    if (this.#refused.size > refusedBefore) this.#deps.onRefused(this.#refused.size);
    await this.#deps.keys.renew(nowMs(), signal);
    await this.#retire(unneeded, left);
  }

  /** What was captured long ago is closed to whoever learns the keys of today, once the old ones are gone. */
  async #retire(unneeded: number, left: ReadonlySet<number>): Promise<void> {
    const { journal } = this.#deps.vault();
    if (operationsToRetire(journal.state, unneeded, left).length === 0) return;
    await journal.append((state) => operationsToRetire(state, unneeded, left));
  }

  /** @param left takes the epochs of what was signed by a device, and stays in the inbox all the same */
  async #adoptPage(page: readonly Listed[], left: Set<number>, signal: AbortSignal): Promise<void> {
    const { adopter, vault } = this.#deps;
    const { journal } = vault();
    const isKnown = ({ blob }: Listed) => journal.state.hasBlob(blob);
    const removable = page.filter(isKnown).map(({ blob }) => blob);
    const files = await this.#openAll(
      page.filter((listed) => !isKnown(listed)),
      left,
      signal,
    );
    using _contentKeys = wipeAtEnd(...files.map(({ contentKey }) => contentKey));
    const outcomes = await Promise.allSettled(files.map((file) => adopter.adopt(file, signal)));
    for (const [index, { version }] of files.entries()) {
      if (outcomes[index]?.status === 'fulfilled') removable.push(version.blob as BlobId);
    }
    if (removable.length > 0) {
      const { broker, vault: id, requireGrant } = vault();
      await retry(
        () => broker.call(inboxRemove, { grant: requireGrant(), blobs: removable }, { vault: id, signal }),
        signal,
      );
    }
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** What is refused is remembered, and left out. */
  async #openAll(listed: readonly Listed[], left: Set<number>, signal: AbortSignal): Promise<CapturedFile[]> {
    const files: CapturedFile[] = [];
    for (const each of listed) {
      try {
        files.push(await this.#openOne(each, left, signal));
        this.#refused.delete(each.blob);
      } catch (error) {
        if (!(error instanceof HalfkeyError) || error.code !== 'inbox_refused') {
          for (const { contentKey } of files) contentKey.fill(0);
          throw error;
        }
        this.#refused.add(each.blob);
      }
    }
    return files;
  }

  async #openOne(
    { blob, record, stored }: Listed,
    left: Set<number>,
    signal: AbortSignal,
  ): Promise<CapturedFile> {
    const { vault, journal, epoch } = this.#deps.vault();
    const own = await this.#deps.ownRecord(blob);
    const signed = await readRecord(journal.state, vault, blob, fromB64Url(record), own);
    const opened = await this.#deps.keys.open(this.#keyOf(signed), signal);
    const key = { ...opened, privateKey: opened.privateKey.slice() }; // A lock in the middle wipes the other one.
    using _privateKey = wipeAtEnd(key.privateKey);
    const file = await openRecord(signed, { vault, blob }, key);
    const { sealedBytes, digest } = file.version;
    if (stored?.sizeBytes !== sealedBytes || stored.digest !== digest || file.version.epoch !== epoch) {
      file.contentKey.fill(0);
      left.add(signed.inboxEpoch); // What is not there today may be there tomorrow.
      throw new HalfkeyError('inbox_refused', 'the store holds another blob than the record says');
    }
    return file;
  }

  #keyOf({ inboxEpoch }: SignedRecord) {
    const inbox = this.#deps.vault().journal.state.inboxKey(inboxEpoch);
    if (!inbox) throw new HalfkeyError('inbox_refused', 'the journal names no such inbox key');
    return inbox;
  }
}

/** What the next code, or the next minute, mends by itself. */
function isPassing(error: unknown): boolean {
  if (error instanceof DOMException && error.name === 'AbortError') return true;
  if (!(error instanceof HalfkeyError)) return false;
  return error.family === 'unreachable' || error.family === 'refused';
}
