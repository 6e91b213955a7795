import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Authorize, Principal } from '../principal.ts';
import { Refusal } from '../refusal.ts';
import type { JsonHandler, Operation } from './aws-json.ts';
import { base64Bytes, jsonService, operation } from './aws-json.ts';
import { openBlob, sealBlob } from './blob.ts';
import type { EncryptionContext } from './encryption-context.ts';
import { EncryptionContextSchema, conditionKeys } from './encryption-context.ts';
import type { Key } from './key.ts';
import { openKey } from './key.ts';
import { lifecycleOperations } from './lifecycle.ts';

/** A KMS with one symmetric key, which is made at the first start. */
export interface Kms {
  /** UUID. */
  readonly keyId: string;
  readonly keyArn: string;
  /** Answers `TrentService.*`. */
  readonly handle: JsonHandler;
}

/** What a KMS is made of. */
export interface KmsParts {
  /** Where its key is; made when missing. */
  readonly folder: string;
  /**
   * Asked before each use of the key. The policies name the key's ARN, which is known once the KMS is open, so the
   * one who wires them hands over a function that looks the policies up when it is called.
   */
  readonly authorize: Authorize;
  readonly region: string;
  /** Twelve digits. */
  readonly accountId: string;
  /** Clock of the deletion date. */
  readonly nowMs?: () => number;
}

const MAX_PLAINTEXT_BYTES = 4096;
const MAX_DATA_KEY_BYTES = 1024;
const MAX_CIPHERTEXT_BYTES = 6144;
const DATA_KEY_BYTES = { AES_128: 16, AES_256: 32 } as const;

/** `KeyId` as it comes: key id, its ARN, alias, or the alias's ARN. */
const KeyName = v.pipe(v.string(), v.minLength(1), v.maxLength(2048));
const Ciphertext = base64Bytes(1, MAX_CIPHERTEXT_BYTES);
const Algorithm = v.optional(v.literal('SYMMETRIC_DEFAULT'));

const GenerateDataKey = v.strictObject({
  KeyId: KeyName,
  KeySpec: v.optional(v.picklist(['AES_128', 'AES_256'])),
  NumberOfBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_DATA_KEY_BYTES))),
  EncryptionContext: EncryptionContextSchema,
});
const Encrypt = v.strictObject({
  KeyId: KeyName,
  Plaintext: base64Bytes(1, MAX_PLAINTEXT_BYTES),
  EncryptionContext: EncryptionContextSchema,
  EncryptionAlgorithm: Algorithm,
});
const Decrypt = v.strictObject({
  KeyId: v.optional(KeyName),
  CiphertextBlob: Ciphertext,
  EncryptionContext: EncryptionContextSchema,
  EncryptionAlgorithm: Algorithm,
});
const ReEncrypt = v.strictObject({
  CiphertextBlob: Ciphertext,
  SourceKeyId: v.optional(KeyName),
  SourceEncryptionContext: EncryptionContextSchema,
  SourceEncryptionAlgorithm: Algorithm,
  DestinationKeyId: KeyName,
  DestinationEncryptionContext: EncryptionContextSchema,
  DestinationEncryptionAlgorithm: Algorithm,
});

/**
 * Opens the KMS in `folder`.
 * @throws Error when its files are damaged
 */
export async function createKms(parts: KmsParts): Promise<Kms> {
  const key = await openKey(parts);
  const nowMs = parts.nowMs ?? Date.now;
  const operations = new Map([...cryptoOperations(key), ...lifecycleOperations(key, nowMs)]);
  return {
    keyId: key.root.keyId,
    keyArn: key.arn,
    handle: jsonService('TrentService.', operations, {
      invalid: 'ValidationException',
      internal: 'KMSInternalException',
    }),
  };
}

function cryptoOperations(key: Key): readonly (readonly [string, Operation])[] {
  /** Name, right and state of the key, in this order, before anything is opened or sealed. */
  const use = (
    name: string | undefined,
    action: string,
    context: EncryptionContext,
    principal?: Principal,
  ): void => {
    if (name !== undefined) key.resolve(name);
    key.permit(action, principal, conditionKeys(context));
    key.requireEnabled();
  };
  return [
    [
      'GenerateDataKey',
      operation(GenerateDataKey, ({ KeyId, KeySpec, NumberOfBytes, EncryptionContext }, principal) => {
        if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
          throw new Refusal(
            400,
            'ValidationException',
            'expected either KeySpec or NumberOfBytes, got both or none',
          );
        }
        use(KeyId, 'kms:GenerateDataKey', EncryptionContext, principal);
        const plaintext = randomBytes(NumberOfBytes ?? DATA_KEY_BYTES[KeySpec ?? 'AES_256']);
        return {
          CiphertextBlob: sealBlob(key.root, plaintext, EncryptionContext).toString('base64'),
          Plaintext: plaintext.toString('base64'),
          KeyId: key.arn,
        };
      }),
    ],
    [
      'Encrypt',
      operation(Encrypt, ({ KeyId, Plaintext, EncryptionContext }, principal) => {
        use(KeyId, 'kms:Encrypt', EncryptionContext, principal);
        return {
          CiphertextBlob: sealBlob(key.root, Plaintext, EncryptionContext).toString('base64'),
          KeyId: key.arn,
          EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        };
      }),
    ],
    [
      'Decrypt',
      operation(Decrypt, ({ KeyId, CiphertextBlob, EncryptionContext }, principal) => {
        use(KeyId, 'kms:Decrypt', EncryptionContext, principal);
        return {
          KeyId: key.arn,
          Plaintext: open(key, CiphertextBlob, EncryptionContext, KeyId).toString('base64'),
          EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        };
      }),
    ],
    [
      'ReEncrypt',
      operation(ReEncrypt, (input, principal) => {
        use(input.SourceKeyId, 'kms:ReEncryptFrom', input.SourceEncryptionContext, principal);
        use(input.DestinationKeyId, 'kms:ReEncryptTo', input.DestinationEncryptionContext, principal);
        const plaintext = open(key, input.CiphertextBlob, input.SourceEncryptionContext, input.SourceKeyId);
        return {
          CiphertextBlob: sealBlob(key.root, plaintext, input.DestinationEncryptionContext).toString(
            'base64',
          ),
          SourceKeyId: key.arn,
          KeyId: key.arn,
          SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
          DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        };
      }),
    ],
  ];
}

function open(key: Key, blob: Uint8Array, context: EncryptionContext, keyName: string | undefined): Buffer {
  const opened = openBlob(key.root, blob, context);
  switch (opened.kind) {
    case 'opened':
      return opened.plaintext;
    case 'other_key':
      // AWS says which of the two it is only to who named a key.
      throw keyName === undefined
        ? invalidCiphertext()
        : new Refusal(400, 'IncorrectKeyException', 'made by another key');
    case 'invalid':
      throw invalidCiphertext();
  }
}

/** Carries no detail, as AWS's own: damage, a foreign blob and another context look the same. */
function invalidCiphertext(): Refusal {
  return new Refusal(400, 'InvalidCiphertextException', 'the ciphertext cannot be opened');
}
