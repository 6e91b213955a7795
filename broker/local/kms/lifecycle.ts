import * as v from 'valibot';
import type { Principal } from '../principal.ts';
import { Refusal } from '../refusal.ts';
import type { Operation } from './aws-json.ts';
import { operation } from './aws-json.ts';
import type { Key } from './key.ts';

const DAY_MS = 86_400_000;

const KeyOnly = v.strictObject({ KeyId: v.pipe(v.string(), v.minLength(1), v.maxLength(2048)) });
const ScheduleKeyDeletion = v.strictObject({
  ...KeyOnly.entries,
  PendingWindowInDays: v.optional(v.pipe(v.number(), v.integer(), v.minValue(7), v.maxValue(30)), 30),
});

/**
 * What is done to the key itself: described, switched off and on, and marked for a deletion that is left to the
 * operator.
 */
export function lifecycleOperations(
  key: Key,
  nowMs: () => number,
): readonly (readonly [string, Operation])[] {
  const manage = (name: string, action: string, principal: Principal | undefined): void => {
    key.resolve(name);
    key.permit(action, principal, {});
  };
  /** A key that waits for its deletion is only described, or taken back. */
  const requireNotPending = (): void => {
    if (key.state().state === 'PendingDeletion') key.requireEnabled();
  };
  return [
    [
      'DescribeKey',
      operation(KeyOnly, ({ KeyId }, principal) => {
        manage(KeyId, 'kms:DescribeKey', principal);
        return { KeyMetadata: metadata(key) };
      }),
    ],
    [
      'DisableKey',
      operation(KeyOnly, async ({ KeyId }, principal) => {
        manage(KeyId, 'kms:DisableKey', principal);
        requireNotPending();
        await key.setState({ state: 'Disabled' });
        return {};
      }),
    ],
    [
      'EnableKey',
      operation(KeyOnly, async ({ KeyId }, principal) => {
        manage(KeyId, 'kms:EnableKey', principal);
        requireNotPending();
        await key.setState({ state: 'Enabled' });
        return {};
      }),
    ],
    [
      'ScheduleKeyDeletion',
      operation(ScheduleKeyDeletion, async ({ KeyId, PendingWindowInDays }, principal) => {
        manage(KeyId, 'kms:ScheduleKeyDeletion', principal);
        requireNotPending();
        const deletionAtMs = nowMs() + PendingWindowInDays * DAY_MS;
        await key.setState({ state: 'PendingDeletion', deletionAtMs });
        return {
          KeyId: key.arn,
          KeyState: 'PendingDeletion',
          DeletionDate: deletionAtMs / 1000,
          PendingWindowInDays,
        };
      }),
    ],
    [
      'CancelKeyDeletion',
      operation(KeyOnly, async ({ KeyId }, principal) => {
        manage(KeyId, 'kms:CancelKeyDeletion', principal);
        if (key.state().state !== 'PendingDeletion') {
          throw new Refusal(400, 'KMSInvalidStateException', 'the key is not pending deletion');
        }
        // As on AWS: what was to be deleted comes back switched off.
        await key.setState({ state: 'Disabled' });
        return { KeyId: key.arn };
      }),
    ],
  ];
}

/** Times are seconds since 1970, as AWS's JSON protocol has them. */
function metadata(key: Key): Readonly<Record<string, unknown>> {
  const state = key.state();
  return {
    AWSAccountId: key.accountId,
    KeyId: key.root.keyId,
    Arn: key.arn,
    CreationDate: key.root.createdAtMs / 1000,
    Enabled: state.state === 'Enabled',
    Description: '',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: state.state,
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
    ...(state.state === 'PendingDeletion' ? { DeletionDate: state.deletionAtMs / 1000 } : {}),
  };
}
