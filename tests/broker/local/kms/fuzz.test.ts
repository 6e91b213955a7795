import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCognito } from '../../../../broker/local/cognito/cognito.ts';
import { openCredentials } from '../../../../broker/local/iam/credentials.ts';
import type { JsonHandler } from '../../../../broker/local/kms/aws-json.ts';
import { createKms } from '../../../../broker/local/kms/kms.ts';
import {
  ACCOUNT_ID,
  ADMINISTRATOR,
  BROKER,
  IDENTITY,
  REGION,
  jsonBody,
  temporaryFolder,
} from '../iam/fixture.ts';

const KMS = [
  'GenerateDataKey',
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'DescribeKey',
  'DisableKey',
  'EnableKey',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
].map((name) => `TrentService.${name}`);
const COGNITO = ['GetOpenIdTokenForDeveloperIdentity', 'GetCredentialsForIdentity'].map(
  (name) => `AWSCognitoIdentityService.${name}`,
);

async function services(): Promise<{ handle: JsonHandler; poolId: string }> {
  const folder = temporaryFolder();
  const parts = { authorize: () => true, region: REGION, accountId: ACCOUNT_ID };
  const kms = await createKms({ ...parts, folder: `${folder}/kms` });
  const credentials = await openCredentials(`${folder}/iam`);
  const cognito = await createCognito({ ...parts, folder: `${folder}/cognito`, credentials });
  const handle: JsonHandler = (target, ...rest) =>
    target.startsWith('Trent') ? kms.handle(target, ...rest) : cognito.handle(target, ...rest);
  return { handle, poolId: cognito.identityPoolId };
}

const target = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...KMS, ...COGNITO) },
  { weight: 1, arbitrary: fc.string() },
);
const principal = fc.constantFrom(ADMINISTRATOR, BROKER, IDENTITY, undefined);

function mostlyRight(poolId: string) {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.json());
  const or = (right: fc.Arbitrary<unknown>) =>
    fc.option(fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue() }), {
      nil: undefined,
    });
  const pairs = fc.dictionary(text, text);
  const token = fc.oneof(
    text,
    fc
      .tuple(fc.json(), fc.json(), text)
      .map((parts) => parts.map((part) => Buffer.from(part).toString('base64url')).join('.')),
  );
  const logins = fc.oneof(
    fc.record({ 'login.halfkey': text }),
    fc.record({ 'cognito-identity.amazonaws.com': token }),
    pairs,
  );
  return fc.record({
    KeyId: or(fc.constant('alias/halfkey')),
    KeySpec: or(fc.constant('AES_256')),
    Plaintext: or(fc.base64String()),
    CiphertextBlob: or(fc.base64String({ maxLength: 400 })),
    EncryptionContext: or(pairs),
    DestinationKeyId: or(fc.constant('alias/halfkey')),
    SourceEncryptionContext: or(pairs),
    PendingWindowInDays: or(fc.constant(7)),
    IdentityPoolId: or(fc.constant(poolId)),
    IdentityId: or(fc.constant(poolId)),
    Logins: or(logins),
    TokenDuration: or(fc.constant(900)),
  });
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  GenerateDataKey: ['KeyId', 'KeySpec', 'EncryptionContext'],
  Encrypt: ['KeyId', 'Plaintext', 'EncryptionContext'],
  Decrypt: ['KeyId', 'CiphertextBlob', 'EncryptionContext'],
  ReEncrypt: ['CiphertextBlob', 'DestinationKeyId', 'SourceEncryptionContext'],
  ScheduleKeyDeletion: ['KeyId', 'PendingWindowInDays'],
  GetOpenIdTokenForDeveloperIdentity: ['IdentityPoolId', 'IdentityId', 'Logins', 'TokenDuration'],
  GetCredentialsForIdentity: ['IdentityId', 'Logins'],
};

function reach(input: Readonly<Record<string, unknown>>, operation: string): unknown {
  const fields = FIELDS[operation] ?? ['KeyId'];
  return Object.fromEntries(fields.map((name) => [name, input[name]]));
}

it('KMS and Cognito answer every body of almost the right form with 200 or a named 400', async () => {
  const { handle, poolId } = await services();
  const seen = new Set<number>();
  const refusals: unknown[] = [];
  await fc.assert(
    fc.asyncProperty(target, mostlyRight(poolId), principal, async (name, input, who) => {
      const { status, body } = await handle(name, jsonBody(reach(input, name.split('.')[1] ?? '')), who);
      expect([200, 400]).toContain(status);
      if (status === 400) refusals.push(body['__type']);
      expect(JSON.stringify(body)).toBeTypeOf('string');
      seen.add(status);
    }),
    { seed: 3, numRuns: 2000 },
  );
  // Else the inputs would be so wrong that only the first check is ever run.
  expect(seen).toEqual(new Set([200, 400]));
  expect(refusals.filter((type) => !/^[A-Za-z]+Exception$/.test(String(type)))).toEqual([]);
});

it('KMS and Cognito answer every body of bytes and every JSON with 400', async () => {
  const { handle } = await services();
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc.constant(new TextEncoder().encode('['.repeat(200_000))),
  );
  await fc.assert(
    fc.asyncProperty(target, body, principal, async (name, bytes, who) => {
      expect((await handle(name, bytes, who)).status).toBe(400);
    }),
    { seed: 4, numRuns: 2000 },
  );
});
