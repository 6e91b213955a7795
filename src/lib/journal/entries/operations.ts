import type { Bytes } from '../../bytes.ts';

/** Stands for the top folder wherever an operation names a folder. */
export const ROOT = '';

/** The tag of a favourite: shown as such, and not among the tags that people typed (docs/FORMAT.md §11.5). */
export const FAVOURITE = '\u2605';

/** Operations in one segment. */
export const MAX_OPERATIONS = 256;

/** One sealed state of a file (docs/FORMAT.md, Journal, Version). */
export interface Version {
  /** The blob's id; it belongs to this version alone. */
  readonly blob: string;
  /** Of the vault key in the blob's envelope. */
  readonly epoch: number;
  /** True length of the content. */
  readonly sizeBytes: number;
  /** Length of the FLOE ciphertext in S3. */
  readonly sealedBytes: number;
  /** Length of each part but the last. */
  readonly partBytes: number;
  /**
   * S3's checksum of the ciphertext: "base64-N" of a multipart upload of N parts, plain base64 SHA-256 of a single PUT.
   */
  readonly digest: string;
  readonly mediaType: string;
  /** Of the source, ms since 1970. */
  readonly modifiedAtMs: number;
  /** By the clock of the device that added it. */
  readonly addedAtMs: number;
}

/** The public half of an inbox key pair; the private half is in the envelope of `blob`, until the key is retired. */
export interface InboxKey {
  readonly blob: string;
  /** X25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** Of the inbox, from 0, one more with each new key. */
  readonly epoch: number;
}

/** One page of a snapshot, sealed. */
export interface SnapshotPage {
  readonly page: string;
  readonly sizeBytes: number;
  /** Of the sealed page, 32 bytes. */
  readonly sha256: Bytes;
}

/** The folded state after segment `seq`, as pages under `v/<vault>/snapshots/<seq>/`. */
export interface SnapshotName {
  readonly seq: number;
  /** Of the segment's bytes, 32 bytes. */
  readonly hash: Bytes;
  /** SHA-256 of the encoded state: anyone who folds the log past here compares it with what he has. */
  readonly stateHash: Bytes;
  readonly pages: readonly SnapshotPage[];
}

/** Which device a box with a new vault key is for, and the SHA-256 of the box. */
export interface EpochBox {
  readonly device: string;
  readonly hash: Bytes;
}

/** What a segment of the journal is made of. `entry` is the id of a file or folder; every id is 22 characters. */
export type Operation =
  | {
      readonly kind: 'genesis';
      readonly vault: string;
      readonly account: string;
      readonly identityPublicKey: Bytes;
      readonly inbox: InboxKey;
      readonly atMs: number;
    }
  /**
   * `certificate`: the identity key's, see `certifyDevice`. `publicKey`: Ed25519; `agreementKey`: X25519, what is
   * sealed to this device alone. An id that was revoked never comes back.
   */
  | {
      readonly kind: 'device-enrol';
      readonly device: string;
      readonly publicKey: Bytes;
      readonly agreementKey: Bytes;
      readonly name: string;
      readonly certificate: Bytes;
    }
  /** `since`: the first segment from which on nothing that the device signed counts, as if it never had. */
  | { readonly kind: 'device-revoke'; readonly device: string; readonly since: number }
  /** `atMs`: by the clock of the device that made the key; missing in old journals. */
  | { readonly kind: 'inbox-key'; readonly inbox: InboxKey; readonly atMs?: number | undefined }
  /** `hash`: SHA-256 of the keyring's bytes. */
  | { readonly kind: 'keyring'; readonly version: number; readonly hash: Bytes }
  | { readonly kind: 'folder-add'; readonly folder: string; readonly parent: string; readonly name: string }
  | {
      readonly kind: 'file-add';
      readonly file: string;
      readonly folder: string;
      readonly name: string;
      readonly version: Version;
    }
  | { readonly kind: 'version-add'; readonly file: string; readonly version: Version }
  /** Makes an earlier version, by its blob, the newest. */
  | { readonly kind: 'version-restore'; readonly file: string; readonly blob: string }
  | { readonly kind: 'rename'; readonly entry: string; readonly name: string }
  | { readonly kind: 'move'; readonly entry: string; readonly folder: string }
  | { readonly kind: 'trash'; readonly entry: string; readonly atMs: number }
  | { readonly kind: 'restore'; readonly entry: string }
  /**
   * Hides a file until `purged` says that the broker has erased its content; only then it is forgotten. A folder goes
   * at once, and what is in it goes to the top.
   */
  | { readonly kind: 'purge'; readonly entry: string }
  /**
   * The broker has erased these. What of a hidden file is erased, is not taken again while an inbox record could still
   * name it.
   */
  | { readonly kind: 'purged'; readonly blobs: readonly string[] }
  /** Sets all of an entry's tags. */
  | { readonly kind: 'tag'; readonly entry: string; readonly tags: readonly string[] }
  | { readonly kind: 'snapshot'; readonly snapshot: SnapshotName }
  /**
   * The newest segment that the writer has seen, and when. `inboxEpoch`: of the oldest inbox key that the writer still
   * needs, now or ever (docs/FORMAT.md §13.4); missing, it may need them all.
   */
  | {
      readonly kind: 'heartbeat';
      readonly seq: number;
      readonly hash: Bytes;
      readonly atMs: number;
      readonly inboxEpoch?: number | undefined;
    }
  /**
   * Nothing that is sealed to an inbox key below this epoch is opened any more; their private halves wait to be erased.
   */
  | { readonly kind: 'inbox-retire'; readonly epoch: number }
  /**
   * Another vault key from the next segment on. `hash`: SHA-256 of the object that holds the key before, sealed under
   * it; `boxes`: for each device that is trusted then, SHA-256 of what holds its new key (docs/FORMAT.md §11.3).
   */
  | {
      readonly kind: 'epoch';
      readonly epoch: number;
      readonly rotation: string;
      readonly hash: Bytes;
      readonly boxes: readonly EpochBox[];
    };

export type OperationKind = Operation['kind'];

/** What a segment signed by the identity key may hold. */
const BY_IDENTITY: ReadonlySet<OperationKind> = new Set<OperationKind>([
  'genesis',
  'device-enrol',
  'device-revoke',
  'inbox-key',
  'keyring',
  'snapshot',
  'epoch',
]);
/**
 * What no other segment may: a device on its own neither lets others in nor shuts them out, nor does it change keys.
 */
const BY_IDENTITY_ALONE: ReadonlySet<OperationKind> = new Set<OperationKind>([
  'genesis',
  'device-enrol',
  'device-revoke',
  'keyring',
  'epoch',
]);

/** Whether the identity key (or else: a device) may write such an operation. */
export function mayWrite(writer: 'identity' | 'device', kind: OperationKind): boolean {
  return writer === 'identity' ? BY_IDENTITY.has(kind) : !BY_IDENTITY_ALONE.has(kind);
}
