import type { VaultId } from '../contract/ids.ts';

/** KMS's additional authenticated data; CloudTrail shows it in the clear, so it holds random ids only. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** KMS with the broker's own role: purposes `totp` and `setup` only, its policy allows no other. */
export interface BrokerKms {
  encrypt(plaintext: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
  /** Throws BrokerProblem `record_corrupt` when blob and context do not belong together. */
  decrypt(kmsBlob: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
}

/** KMS with the credentials of one vault's identity. */
export interface VaultKms {
  generateDataKey(
    vault: VaultId,
    context: EncryptionContext,
  ): Promise<{ kmsHalf: Uint8Array; kmsBlob: Uint8Array }>;
  decrypt(vault: VaultId, kmsBlob: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
}
