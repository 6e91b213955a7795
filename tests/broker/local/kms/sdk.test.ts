import { GetCredentialsForIdentityCommand, NotAuthorizedException } from '@aws-sdk/client-cognito-identity';
import {
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisabledException,
  EncryptCommand,
  GenerateDataKeyCommand,
  IncorrectKeyException,
  InvalidCiphertextException,
  KMSInvalidStateException,
  NotFoundException,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { administratorOf, brokerOf, openVault, startCloud } from '../iam/cloud.ts';

const KeyId = 'alias/halfkey';

describe("AWS's own clients", () => {
  it('carry a vault from its identity to a half-key and back, and another vault gets nothing', async () => {
    const cloud = await startCloud();
    const ann = await openVault(cloud, 'ann');
    const bob = await openVault(cloud, 'bob');
    const EncryptionContext = { app: 'halfkey', purpose: 'file', vault: ann.vault, blob: 'b' };
    const made = await ann.kms.send(
      new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    expect(made.Plaintext).toHaveLength(32);
    const open = new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext });
    expect((await ann.kms.send(open)).Plaintext).toEqual(made.Plaintext);
    const denied = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } };
    await expect(bob.kms.send(open)).rejects.toMatchObject(denied);
    await expect(brokerOf(cloud).kms.send(open)).rejects.toMatchObject(denied);
    const asBobs = { ...EncryptionContext, vault: bob.vault };
    const swapped = new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext: asBobs });
    await expect(bob.kms.send(swapped)).rejects.toBeInstanceOf(InvalidCiphertextException);
  });

  it('seal, open and re-seal the secrets of the broker', async () => {
    const cloud = await startCloud();
    const kms = brokerOf(cloud).kms;
    const EncryptionContext = { app: 'halfkey', purpose: 'totp', account: 'x' };
    const Plaintext = new TextEncoder().encode('secret');
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
    const other = { ...EncryptionContext, account: 'y' };
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: cloud.description.kmsKeyId,
        DestinationEncryptionContext: other,
      }),
    );
    const input = { CiphertextBlob: moved.CiphertextBlob, EncryptionContext: other };
    expect((await kms.send(new DecryptCommand(input))).Plaintext).toEqual(Plaintext);
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ KeyId: cloud.description.kmsKeyId, KeyState: 'Enabled' });
    expect(KeyMetadata?.CreationDate).toBeInstanceOf(Date);
  });

  it('know the errors by their classes', async () => {
    const cloud = await startCloud();
    const kms = administratorOf(cloud).kms;
    const generate = new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' });
    const { CiphertextBlob } = await kms.send(generate);
    await expect(kms.send(new DescribeKeyCommand({ KeyId: 'alias/x' }))).rejects.toBeInstanceOf(
      NotFoundException,
    );
    const foreign = Uint8Array.from(CiphertextBlob!);
    foreign[1]! ^= 1;
    await expect(kms.send(new DecryptCommand({ KeyId, CiphertextBlob: foreign }))).rejects.toBeInstanceOf(
      IncorrectKeyException,
    );
    await expect(kms.send(new GenerateDataKeyCommand({ KeyId }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await kms.send(new DisableKeyCommand({ KeyId }));
    await expect(kms.send(generate)).rejects.toBeInstanceOf(DisabledException);
    const { DeletionDate } = await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    expect(DeletionDate).toBeInstanceOf(Date);
    await expect(kms.send(generate)).rejects.toBeInstanceOf(KMSInvalidStateException);
    const guest = new GetCredentialsForIdentityCommand({ IdentityId: cloud.description.identityPoolId });
    await expect(brokerOf(cloud).cognito.send(guest)).rejects.toBeInstanceOf(NotAuthorizedException);
  });
});
