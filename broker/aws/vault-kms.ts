import { DecryptCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import type { VaultKms } from '../ports/kms.ts';
import { kmsFault } from './vault-faults.ts';
import { type VaultClientCache, withVaultClients } from './vault-clients.ts';

const HALF_BYTES = 32;

/** KMS halves, each call signed by the vault's own identity; faults are BrokerProblems as `kmsFault` says. */
export function vaultKms(cache: VaultClientCache): VaultKms {
  const KeyId = cache.place.kmsKeyId;
  return {
    async generateDataKey(vault, context) {
      try {
        const answer = await withVaultClients(cache, vault, ({ kms }) =>
          kms.send(
            new GenerateDataKeyCommand({
              KeyId,
              NumberOfBytes: HALF_BYTES,
              EncryptionContext: { ...context },
            }),
          ),
        );
        return { kmsHalf: half(answer.Plaintext), kmsBlob: present(answer.CiphertextBlob) };
      } catch (error) {
        throw kmsFault(error);
      }
    },
    async decrypt(vault, kmsBlob, context) {
      try {
        const answer = await withVaultClients(cache, vault, ({ kms }) =>
          // The key is named, so that a blob of another key, which this identity may happen to use, is refused.
          kms.send(new DecryptCommand({ KeyId, CiphertextBlob: kmsBlob, EncryptionContext: { ...context } })),
        );
        return half(answer.Plaintext);
      } catch (error) {
        throw kmsFault(error);
      }
    },
  };
}

function half(bytes: Uint8Array | undefined): Uint8Array {
  const given = present(bytes);
  if (given.length !== HALF_BYTES) {
    throw new RangeError(
      `expected a key of ${String(HALF_BYTES)} bytes from KMS, got ${String(given.length)}`,
    );
  }
  return given;
}

function present(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new RangeError('expected bytes from KMS, got none');
  return bytes;
}
