import type { Bytes } from '../bytes.ts';
import type { SnapshotName } from './entries/operations.ts';
import type { JournalHead } from './entries/segment.ts';
import type { EpochKey } from './journal-keys.ts';

/** Where a vault's journal is kept for all devices; the worker makes it of broker and S3. */
export interface JournalRemote {
  /**
   * Segments from a place on, in order; maybe fewer than there are, and none when the place lies beyond the head.
   * @throws {HalfkeyError} `not_found` when the vault has no journal; of the family unreachable
   */
  read(fromSeq: number): Promise<{ head: JournalHead; segments: Bytes[] }>;
  /**
   * Where the segments begin that it has at hand, if any: those behind the newest snapshot that it knows of. A hint,
   * and no more.
   */
  readonly tailSeq?: number | undefined;
  /**
   * Writes a segment at the place that its head says, if that place is free and next.
   * @param proof what the broker answered for passphrase or kit, and a code: it takes no segment of the identity key
   *   without
   * @param snapshot that the segment names: its pages are to stay
   * @throws {HalfkeyError} `head_changed`; `too_many_requests` when this device has written much; of the family
   *   unreachable, when it is not known whether it was written
   */
  append(
    segment: Bytes,
    proof?: string,
    snapshot?: Pick<SnapshotName, 'seq' | 'pages'>,
  ): Promise<JournalHead>;
  /** Pages of the snapshot after segment `seq`. */
  putPages(seq: number, pages: { page: string; bytes: Bytes }[]): Promise<void>;
  getPage(seq: number, page: string, sizeBytes: number): Promise<Bytes>;
}

/** One record on this device, opaque bytes. */
export interface JournalCache {
  load(): Promise<Bytes | undefined>;
  /**
   * Replaces the record, if `mayReplace` says so of one that is there. No other tab comes between asking and writing.
   */
  save(sealed: Bytes, mayReplace: (stored: Bytes) => Promise<boolean>): Promise<void>;
}

/** Whose vault it is, what opens its journal, and who signs here. */
export interface JournalIdentity {
  readonly vault: string;
  readonly account: string;
  /** All that this device has, the newest last. */
  readonly vaultKeys: readonly EpochKey[];
  /** Ed25519, 32 bytes, out of the keyring: what genesis and devices' certificates go back to. */
  readonly identityPublicKey: Bytes;
  readonly device: { readonly id: string; readonly publicKey: Bytes; readonly privateKey: CryptoKey };
}
