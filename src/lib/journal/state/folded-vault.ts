import type { Bytes } from '../../bytes.ts';
import { EntryIndex } from './entry-index.ts';
import {
  ROOT,
  type EpochBox,
  type InboxKey,
  type SnapshotName,
  type Version,
} from '../entries/operations.ts';
import { FIRST_EPOCH } from '../entries/segment.ts';
import {
  DEAD,
  emptyEntries,
  emptyVersions,
  FOLDER,
  NO_VERSION,
  NOT_TRASHED,
  ROOT_INDEX,
  versionAt,
  type EntryTable,
  type VersionTable,
} from './tables.ts';

/** What the genesis said. */
export interface Genesis {
  readonly vault: string;
  readonly account: string;
  readonly identityPublicKey: Bytes;
  readonly atMs: number;
}

export interface Device {
  readonly device: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** X25519, 32 bytes. */
  readonly agreementKey: Bytes;
  readonly name: string;
  readonly certificate: Bytes;
  /** The segment that enrolled it. */
  readonly enrolledSeq: number;
  readonly revoked?: Revocation;
}

/** That nothing counts any more of what a device signs. */
export interface Revocation {
  /** The segment that revoked it. */
  readonly seq: number;
  /** The segment from which on what it signed had counted, and counts no more; at most `seq`. */
  readonly since: number;
}

/** Another vault key, and which segment began with it. */
interface Epoch {
  readonly epoch: number;
  readonly rotation: string;
  /** SHA-256 of the object that holds the key before, sealed under this one. */
  readonly hash: Bytes;
  readonly boxes: readonly EpochBox[];
  /** The segment that names it: from the next one on its key opens, and no other. */
  readonly seq: number;
}

/** A snapshot that the identity key vouches for, and the segment that names it. */
interface Base {
  readonly snapshot: SnapshotName;
  readonly seq: number;
}

export interface Keyring {
  readonly version: number;
  /** SHA-256 of the keyring's bytes. */
  readonly hash: Bytes;
}

/** What a device said last that it had seen, and that it needs. */
export interface Heartbeat {
  readonly seq: number;
  readonly hash: Bytes;
  readonly atMs: number;
  /** Of the oldest inbox key that the device needs; undefined when it did not say so. */
  readonly inboxEpoch?: number | undefined;
}

/** An inbox key as the journal published it. */
export interface PublishedInboxKey extends InboxKey {
  /** When it was made, by the clock of who made it; undefined when that was not said. */
  readonly atMs?: number | undefined;
  /**
   * The device whose segment brought it; undefined when the identity key signed it. It is a claim: any device may
   * publish one.
   */
  readonly writer: string | undefined;
  /** The segment that brought it. */
  readonly seq: number;
}

/** A file or folder as the fold leaves it. */
export interface Entry {
  readonly id: string;
  /** `ROOT` for the top folder. */
  readonly folder: string;
  readonly name: string;
  readonly isFolder: boolean;
  /** When it was put into the trash itself; undefined also when only a folder above it was. */
  readonly trashedAtMs?: number;
  readonly tags: readonly string[];
}

/** A file that was purged, as it was. */
interface HiddenFile extends Entry {
  /** The device that purged it. */
  readonly hiddenBy: string;
  /** Of its versions: those that are not erased yet, the newest first. */
  readonly blobs: readonly string[];
}

/**
 * A vault as its journal says, in columns: 100,000 files fold, load and list in tens of milliseconds. Only
 * `applySegment` changes it. Two journals that are the same give states that encode to the same bytes.
 */
export class FoldedVault {
  genesis: Genesis | undefined;
  keyring: Keyring | undefined;
  /** The newest snapshot that was named; whether it is right is the reader's to find out. */
  snapshot: SnapshotName | undefined;
  /** The newest that the identity key has named: an audit goes back no further. */
  base: Base | undefined;
  /** Every vault key after the first, in their order. */
  readonly epochs: Epoch[] = [];
  /** Operations that made no sense where they stood. */
  skippedOperations = 0;
  /** Grows with each segment that is folded in. */
  revision = 0;
  /** In the order of their epochs, retired ones too; the last is the one to seal to. */
  readonly inboxKeys: PublishedInboxKey[] = [];
  /** Of the oldest inbox key that is not retired. */
  oldestInboxEpoch = 0;
  /** By id, revoked ones too, in the order of enrolment. */
  readonly devices = new Map<string, Device>();
  /** By device. */
  readonly heartbeats = new Map<string, Heartbeat>();
  /** Blobs of retired inbox keys that the broker has not been seen to erase. */
  readonly unpurged = new Set<string>();
  /**
   * Files that were purged, by entry index, each with the device that did; forgotten once all of their content is
   * erased.
   */
  readonly hidden = new Map<number, string>();
  /** Blobs of versions that the broker is said to have erased. */
  readonly gone = new Set<string>();
  /**
   * Purged files and all their blobs, with the epoch of the newest inbox key then: a record that names one is sealed to
   * that key or an older one, so until that one is retired the id is not taken again.
   */
  readonly erased = new Map<string, number>();
  /** By entry index. */
  readonly tags = new Map<number, readonly string[]>();
  readonly entries: EntryTable;
  readonly versions: VersionTable;
  #index: EntryIndex | undefined;

  constructor(entries: EntryTable = emptyEntries(), versions: VersionTable = emptyVersions()) {
    this.entries = entries;
    this.versions = versions;
  }

  /** For folding and looking up. */
  get index(): EntryIndex {
    this.#index ??= new EntryIndex(this.entries, this.versions, this.hidden, [
      ...this.unpurged,
      ...this.inboxKeys.map(({ blob }) => blob),
    ]);
    return this.#index;
  }

  /** Of the vault key that seals what comes next. */
  get epoch(): number {
    return this.epochs.at(-1)?.epoch ?? FIRST_EPOCH;
  }

  /** Of the vault key that opens a segment of this place. */
  epochAt(seq: number): number {
    return this.epochs.findLast((turn) => turn.seq < seq)?.epoch ?? FIRST_EPOCH;
  }

  /** The key to seal captured uploads to; undefined before the genesis. */
  get newestInboxKey(): PublishedInboxKey | undefined {
    return this.inboxKeys.at(-1);
  }

  /** The key of this epoch; undefined when the journal has none such, or it is retired. */
  inboxKey(epoch: number): PublishedInboxKey | undefined {
    if (epoch < this.oldestInboxEpoch) return undefined;
    return this.inboxKeys.find((key) => key.epoch === epoch);
  }

  /** Whether a blob belongs to a version or an inbox key already, or did and must not come back. */
  hasBlob(blob: string): boolean {
    return this.index.blobs.has(blob) || this.erased.has(blob);
  }

  /** Index of an entry that is not purged. */
  indexOf(id: string): number | undefined {
    const index = this.index.byId.get(id);
    return index === undefined || this.hidden.has(index) ? undefined : index;
  }

  /** Files that were purged, and of whose content not all is erased: as they were, in the order of their hiding. */
  hiddenFiles(): HiddenFile[] {
    return [...this.hidden].map(([index, hiddenBy]) => ({
      ...this.entryAt(index),
      hiddenBy,
      blobs: this.#versionsAt(index)
        .map(({ blob }) => blob)
        .filter((blob) => !this.gone.has(blob)),
    }));
  }

  /** Whether the newest version of a file is erased, although no device that counts has purged the file. */
  isGone(file: string): boolean {
    const blob = this.newestVersion(file)?.blob;
    return blob !== undefined && this.gone.has(blob);
  }

  /** @returns undefined when there is none of this id, or it was purged */
  entry(id: string): Entry | undefined {
    const index = this.indexOf(id);
    return index === undefined ? undefined : this.entryAt(index);
  }

  /** One row of the entries. */
  entryAt(index: number): Entry {
    const { ids, names, parents, newest, trashedAtMs } = this.entries;
    const parent = parents[index] ?? DEAD;
    const trashed = trashedAtMs[index] ?? NOT_TRASHED;
    return {
      id: ids[index] ?? '',
      folder: parent === ROOT_INDEX ? ROOT : (ids[parent] ?? ROOT),
      name: names[index] ?? '',
      isFolder: newest[index] === FOLDER,
      ...(trashed === NOT_TRASHED ? {} : { trashedAtMs: trashed }),
      tags: this.tags.get(index) ?? [],
    };
  }

  /** A file's versions, the newest first; none when there is no such file. */
  versionsOf(file: string): Version[] {
    return this.#versionsAt(this.indexOf(file) ?? -1);
  }

  #versionsAt(index: number): Version[] {
    const found: Version[] = [];
    let version = this.entries.newest[index] ?? NO_VERSION;
    while (version !== NO_VERSION) {
      found.push(versionAt(this.versions, version));
      version = this.versions.previous[version] ?? NO_VERSION;
    }
    return found;
  }

  /** What opening the file means; undefined if there is no such file. */
  newestVersion(file: string): Version | undefined {
    const version = this.entries.newest[this.indexOf(file) ?? -1] ?? NO_VERSION;
    return version === NO_VERSION ? undefined : versionAt(this.versions, version);
  }

  /** A device that may sign: enrolled and not revoked. */
  trustedDevice(id: string): Device | undefined {
    const device = this.devices.get(id);
    return device?.revoked === undefined ? device : undefined;
  }
}
