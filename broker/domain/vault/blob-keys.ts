import type { BlobId, DeviceId, VaultId } from '../../contract/ids.ts';
import type { KeyPurpose } from '../../contract/envelope.ts';
import type { EncryptionContext } from '../../ports/kms.ts';

/** Keys of a vault's objects, relative to `v/<vault>/`; every part is a parsed id or a number. */
export const blobKeys = {
  blobs: 'blobs/',
  blob: (blob: BlobId) => `blobs/${blob}`,
  envelope: (blob: BlobId, epoch: number) => `keys/${blob}/${String(epoch)}`,
  envelopes: (blob: BlobId) => `keys/${blob}/`,
  /** Whose envelope a key is of; undefined for another object's. */
  enveloped: (key: string) => {
    const [room, blob, epoch] = key.split('/');
    return room === 'keys' && epoch !== undefined ? (blob as BlobId) : undefined;
  },
  /** Says that the blob was deleted for good: create-only, and there for as long as the vault is. */
  purged: (blob: BlobId) => `purged/${blob}`,
  purgedMarks: 'purged/',
  inbox: (device: DeviceId, blob: BlobId) => `inbox/${device}/${blob}`,
  inboxOf: (device: DeviceId) => `inbox/${device}/`,
  inboxes: 'inbox/',
  snapshotPage: (seq: number, page: BlobId) => `snapshots/${String(seq)}/${page}`,
} as const;

/**
 * What a KMS half is bound to: the purpose is one of the route's, the vault is the one whose membership was
 * checked, and only the blob is the client's word.
 */
export function halfContext(purpose: KeyPurpose, vault: VaultId, blob: BlobId): EncryptionContext {
  return { app: 'halfkey', purpose, vault, blob };
}
