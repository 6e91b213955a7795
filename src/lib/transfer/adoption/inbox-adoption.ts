import { inboxRead, inboxRemove, type InboxName } from '$contract/vault-inbox.ts';
import type { BlobId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import type * as v from 'valibot';
import { fromB64Url, type Bytes } from '../../bytes.ts';
import { coalesced } from '../../concurrency/coalesced.ts';
import { HalfkeyError } from '../../errors.ts';
import { openRecord, readRecord, type CapturedFile } from '../../inbox/record.ts';
import { operationsToRetire, unneededBelow } from '../../journal/state/inbox-epochs.ts';
import type { FoldedVault } from '../../journal/state/folded-vault.ts';
import { listInbox, nameOf, type ListedRecord } from '../../vault/inbox-listing.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import type { Adopter } from './adopting.ts';
import { retry } from '../../remote/retry.ts';
import { isOfKey, type InboxKeys } from './inbox-keys.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';
import { LOCKS } from '../../concurrency/locks.ts';

export interface InboxAdoptionDeps {
  /** @throws {HalfkeyError} `session_missing` when nobody is signed in */
  readonly vault: () => OpenVault;
  readonly adopter: Adopter;
  readonly keys: InboxKeys;
  readonly locks: Pick<LockManager, 'request'>;
  readonly nowMs: () => number;
  /** What is stored here of a record that this device has put into the inbox. */
  readonly ownRecord: (blob: BlobId) => Promise<Bytes | undefined>;
  /** As in `Adoptable`, of what this device took in itself. */
  readonly insteadOf?: (blob: BlobId) => string | undefined;
  /** Records of this device that the inbox did not take, of blobs that S3 has: they wait here for a code. */
  readonly waitingHere: () => Promise<readonly { readonly blob: BlobId; readonly record: Bytes }[]>;
  /** How many records no trusted device vouches for, or say what they must not; they stay where they are. */
  readonly onRefused: (count: number) => void;
  /** A failure that no command led to, and that trying again does not mend. */
  readonly onFailed: (error: unknown) => void;
}

type Found = v.InferOutput<typeof inboxRead.answer>['records'][number];

/** A record that stays where it is. */
interface Refused {
  /** Anyone who looks again at the same bytes with the same devices and keys finds the same. */
  readonly tag: string;
  readonly seenWith: string;
  /** Of the inbox key that it is sealed to, where a device has signed it: that key is still needed. */
  readonly inboxEpoch: number | undefined;
}

/** What became of one record. */
type Outcome =
  | { readonly kind: 'file'; readonly file: CapturedFile; readonly inboxEpoch: number }
  /** The journal has it, or it was deleted for good. */
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly inboxEpoch: number | undefined };

/** Takes what is in the inbox into the drive, whichever device put it there, while a grant is live. */
export class InboxAdoption {
  readonly #deps: InboxAdoptionDeps;
  /** By name. */
  readonly #refused = new Map<string, Refused>();
  /** Devices that were in other hands, and since when: what they have put there from then on is passed over. */
  readonly #doubted = new Map<string, number>();
  /** What mattered of the journal when the inbox was looked into last. */
  #lookedWith: string | undefined;
  #controller = new AbortController();

  constructor(deps: InboxAdoptionDeps) {
    this.#deps = deps;
  }

  /** Looks into the inbox, once more if a call comes while it does. Without a grant nothing happens. Never rejects. */
  readonly now = coalesced(() => this.#look());

  /** Resolves when all was taken in that could be, but for what is doubted. @throws {HalfkeyError} `locked` */
  async allBut(doubted?: { readonly device: string; readonly sinceMs: number }): Promise<void> {
    if (doubted) this.#doubted.set(doubted.device, doubted.sinceMs);
    this.#deps.vault().requireGrant();
    await this.now();
  }

  /** The journal has changed: looks where that may change what is refused, or which inbox keys are needed. */
  journalChanged(): void {
    if (this.#lookedWith !== relevantIn(this.#deps.vault().journal.state)) void this.now();
  }

  /** The grant is over: what was opened is closed. */
  close(): void {
    this.#controller.abort(new HalfkeyError('locked', 'locked while the inbox was being read'));
    this.#controller = new AbortController();
    this.#deps.keys.wipe();
    // What a device has signed is looked at again with the next code: what is not there today may be there tomorrow.
    for (const [name, { inboxEpoch }] of this.#refused) {
      if (inboxEpoch !== undefined) this.#refused.delete(name);
    }
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
    this.#lookedWith = relevantIn(vault().journal.state);
    const unneeded = unneededBelow(vault().journal.state);
    const listed = await listInbox(vault(), signal);
    const names = new Set(listed.map(nameOf));
    for (const name of this.#refused.keys()) if (!names.has(name)) this.#refused.delete(name);
    const unseen = listed.filter((each) => !this.#isRefused(each) && !this.#isDoubted(each));
    // A record may be of a device or key that this journal has not heard of yet.
    if (unseen.length > 0) await retry(() => vault().journal.refresh(), signal);
    for (let from = 0; from < unseen.length; from += LIMITS.batch) {
      await this.#adoptPage(unseen.slice(from, from + LIMITS.batch), signal);
    }
    await this.#adoptHere(signal);
    if (this.#refused.size > refusedBefore) this.#deps.onRefused(this.#refused.size);
    await this.#deps.keys.renew(nowMs(), signal);
    // What was passed over may be of any key.
    if (listed.some((each) => this.#isDoubted(each))) return;
    const left = [...this.#refused.values()].flatMap(({ inboxEpoch }) => inboxEpoch ?? []);
    await this.#retire(unneeded, left);
  }

  #isDoubted({ device, atMs }: ListedRecord): boolean {
    const sinceMs = this.#doubted.get(device);
    return sinceMs !== undefined && atMs >= sinceMs;
  }

  #isRefused(listed: ListedRecord): boolean {
    const refused = this.#refused.get(nameOf(listed));
    return refused?.tag === listed.tag && refused.seenWith === seenWith(this.#deps.vault().journal.state);
  }

  /** What was captured long ago is closed to anyone who learns the keys of today, once the old ones are gone. */
  async #retire(unneeded: number, left: readonly number[]): Promise<void> {
    const { journal } = this.#deps.vault();
    if (operationsToRetire(journal.state, unneeded, left).length === 0) return;
    await journal.append((state) => operationsToRetire(state, unneeded, left));
  }

  async #adoptPage(page: readonly ListedRecord[], signal: AbortSignal): Promise<void> {
    const { broker, vault } = this.#deps.vault();
    const names = page.map(({ device, blob }) => ({ device, blob }));
    const { records } = await retry(() => broker.call(inboxRead, { names }, { vault, signal }), signal);
    const tags = new Map(page.map((listed) => [nameOf(listed), listed.tag]));
    const outcomes = new Map<Found, Outcome>();
    for (const found of records) {
      if (!tags.has(nameOf(found))) continue; // It was not asked for.
      outcomes.set(found, found.purged ? { kind: 'known' } : await this.#openFound(found, signal));
    }
    const failures = await this.#adoptOpened(outcomes, signal);
    const removable: InboxName[] = [];
    for (const [found, outcome] of outcomes) {
      const { device, blob } = found;
      const name = nameOf(found);
      if (outcome.kind === 'known') removable.push({ device, blob });
      if (outcome.kind !== 'refused') this.#refused.delete(name);
      else {
        const seen = { tag: tags.get(name) ?? '', seenWith: seenWith(this.#deps.vault().journal.state) };
        this.#refused.set(name, { ...seen, inboxEpoch: outcome.inboxEpoch });
      }
    }
    if (removable.length > 0) {
      const { requireGrant } = this.#deps.vault();
      const request = () => ({ grant: requireGrant(), names: removable });
      await retry(() => broker.call(inboxRemove, request(), { vault, signal }), signal);
    }
    if (failures.length > 0) throw failures[0] as Error;
  }

  /**
   * Adopts the files, and says in `outcomes` what became of each.
   * @returns what is wrong with all of them, rather than with one
   */
  async #adoptOpened<Key>(outcomes: Map<Key, Outcome>, signal: AbortSignal): Promise<unknown[]> {
    const files = [...outcomes].flatMap(([key, outcome]) =>
      outcome.kind === 'file' ? [{ key, ...outcome }] : [],
    );
    using _contentKeys = wipeAtEnd(...files.map(({ file }) => file.contentKey));
    const adopted = await Promise.allSettled(files.map(({ file }) => this.#deps.adopter.adopt(file, signal)));
    const failures: unknown[] = [];
    for (const [place, { key, inboxEpoch }] of files.entries()) {
      const end = adopted[place];
      if (end?.status !== 'rejected') outcomes.set(key, { kind: 'known' });
      else if (isPurged(end.reason)) outcomes.set(key, { kind: 'known' });
      else if (isOfFile(end.reason)) outcomes.set(key, { kind: 'refused', inboxEpoch });
      else {
        outcomes.delete(key);
        failures.push(end.reason);
      }
    }
    return failures;
  }

  /** What this device has sent, and the inbox had no room for. */
  async #adoptHere(signal: AbortSignal): Promise<void> {
    const outcomes = new Map<BlobId, Outcome>();
    for (const { blob, record } of await this.#deps.waitingHere()) {
      if (this.#deps.adopter.isAdopting(blob)) continue; // It was sent just now, and its sender sees to it.
      outcomes.set(blob, await this.#openOne({ blob, record, own: record, stored: undefined }, signal));
    }
    const failures = await this.#adoptOpened(outcomes, signal);
    if (failures.length > 0) throw failures[0] as Error;
  }

  async #openFound({ blob, record, stored }: Found, signal: AbortSignal): Promise<Outcome> {
    const own = await this.#deps.ownRecord(blob);
    return this.#openOne({ blob, record: fromB64Url(record), own, stored }, signal);
  }

  /** @param of `stored`: what the store holds; undefined where this device knows it itself */
  async #openOne(
    of: {
      readonly blob: BlobId;
      readonly record: Bytes;
      readonly own: Bytes | undefined;
      readonly stored: Found['stored'] | undefined;
    },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { vault, journal, epoch } = this.#deps.vault();
    let inboxEpoch: number | undefined;
    try {
      const signed = await readRecord(journal.state, vault, of.blob, of.record, of.own);
      inboxEpoch = signed.inboxEpoch;
      const inbox = journal.state.inboxKey(inboxEpoch);
      if (!inbox) throw new HalfkeyError('inbox_refused', 'the journal names no such inbox key');
      const opened = await this.#deps.keys.open(inbox, signal);
      const key = { ...opened, privateKey: opened.privateKey.slice() }; // A lock in the middle wipes the other one.
      using _privateKey = wipeAtEnd(key.privateKey);
      const file = await openRecord(signed, { vault, blob: of.blob }, key);
      const isThere = of.stored === undefined || isStored(file, of.stored);
      const isKnown = journal.state.hasBlob(of.blob);
      const instead = this.#deps.insteadOf?.(of.blob);
      const asFile = { ...file, ...(instead !== undefined && { instead }) };
      if (!isKnown && isThere && file.version.epoch === epoch)
        return { kind: 'file', file: asFile, inboxEpoch };
      file.contentKey.fill(0);
      // A device that names a waiting blob must not have what another captured thrown away.
      return isKnown && isInJournal(journal.state, file)
        ? { kind: 'known' }
        : { kind: 'refused', inboxEpoch };
    } catch (error) {
      if (!isOfKey(error)) throw error;
      return { kind: 'refused', inboxEpoch };
    }
  }
}

/** Devices and keys that a record is judged by: another text when any of them is another. */
function seenWith({ devices, inboxKeys, oldestInboxEpoch }: FoldedVault): string {
  const revoked = [...devices.values()].filter(({ revoked }) => revoked !== undefined).length;
  return [devices.size, revoked, inboxKeys.length, oldestInboxEpoch].join();
}

/** What a look into the inbox goes by, besides what is there. */
function relevantIn(state: FoldedVault): string {
  return `${seenWith(state)},${String(unneededBelow(state))}`;
}

function isStored({ version }: CapturedFile, stored: Found['stored']): boolean {
  return stored?.sizeBytes === version.sealedBytes && stored.digest === version.digest;
}

/** Whether the file that the record is of has this very blob as a version. */
function isInJournal(state: FoldedVault, { file, version }: CapturedFile): boolean {
  return state
    .versionsOf(file)
    .some(
      ({ blob, sealedBytes, digest }) =>
        blob === version.blob && sealedBytes === version.sealedBytes && digest === version.digest,
    );
}

const isPurged = (error: unknown): boolean => error instanceof HalfkeyError && error.code === 'purged';

/** What is wrong with one file, and with none of those beside it. */
function isOfFile(error: unknown): boolean {
  if (!(error instanceof HalfkeyError)) return false;
  return error.family === 'corrupt' || error.code === 'upload_lost' || error.code === 'key_absent';
}

/** What the next code, or the next minute, mends by itself. */
function isPassing(error: unknown): boolean {
  if (error instanceof DOMException && error.name === 'AbortError') return true;
  if (!(error instanceof HalfkeyError)) return false;
  return error.family === 'unreachable' || error.family === 'refused';
}
