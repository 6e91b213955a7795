import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { PolicyValues } from '../../../../broker/local/iam/policies.ts';
import { createAuthorize, loadPolicies, parseBucketPolicy } from '../../../../broker/local/iam/policies.ts';
import type { AccessRequest, Authorize, Principal } from '../../../../broker/local/principal.ts';

/** The folder that is deployed. */
export const POLICIES = fileURLToPath(new URL('../../../../broker/deploy/policies', import.meta.url));

export const REGION = 'us-east-1';
export const ACCOUNT_ID = '000000000000';
const POOL_ID = 'us-east-1:11111111-2222-4333-8444-555555555555';
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee`;
export const POOL_ARN = `arn:aws:cognito-identity:${REGION}:${ACCOUNT_ID}:identitypool/${POOL_ID}`;

export const VALUES: PolicyValues = {
  bucket: 'halfkey',
  kmsKeyArn: KEY_ARN,
  region: REGION,
  accountId: ACCOUNT_ID,
  identityPoolId: POOL_ID,
};

export const VAULT = 'us-east-1:01234567-89ab-4cde-8f01-23456789abcd';
export const OTHER_VAULT = 'us-east-1:99999999-89ab-4cde-8f01-23456789abcd';

export const ADMINISTRATOR: Principal = { kind: 'administrator' };
export const BROKER: Principal = { kind: 'broker' };
export const IDENTITY: Principal = { kind: 'identity', sub: VAULT };

/** The decision of the policies in `folder`, the bucket's included. */
export function authorizeBy(folder: string, values: Partial<PolicyValues> = {}): Authorize {
  const policies = loadPolicies(folder, { ...VALUES, ...values });
  const ofBucket = parseBucketPolicy(policies.bucketPolicyText);
  return createAuthorize(policies, () => ofBucket);
}

/** An object of the bucket, or the bucket itself. */
export function arn(key?: string): string {
  return key === undefined ? 'arn:aws:s3:::halfkey' : `arn:aws:s3:::halfkey/${key}`;
}

/** The condition keys of a KMS request with these pairs. */
export function kmsContext(pairs: Readonly<Record<string, string>>): AccessRequest['context'] {
  return {
    ...Object.fromEntries(
      Object.entries(pairs).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
    ),
    'kms:EncryptionContextKeys': Object.keys(pairs),
  };
}

/** A new folder, gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'halfkey-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A request of AWS's JSON protocol. */
export function jsonBody(input: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(input));
}
