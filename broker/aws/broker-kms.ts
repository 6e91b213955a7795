import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import { BrokerProblem } from '../domain/problem.ts';
import type { BrokerKms } from '../ports/kms.ts';
import { kmsFault } from './vault-faults.ts';

/** KMS with the broker's own role: for its setup and the authenticators' secrets. */
export function createBrokerKms(kms: KMSClient, keyId: string): BrokerKms {
  return {
    async encrypt(plaintext, context) {
      try {
        const { CiphertextBlob } = await kms.send(
          new EncryptCommand({ KeyId: keyId, Plaintext: plaintext, EncryptionContext: { ...context } }),
        );
        return present(CiphertextBlob);
      } catch (error) {
        throw kmsFault(error);
      }
    },
    async decrypt(kmsBlob, context) {
      try {
        const { Plaintext } = await kms.send(
          new DecryptCommand({ KeyId: keyId, CiphertextBlob: kmsBlob, EncryptionContext: { ...context } }),
        );
        return present(Plaintext);
      } catch (error) {
        throw kmsFault(error);
      }
    },
  };
}

function present(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new BrokerProblem('kms_unreachable');
  return bytes;
}
