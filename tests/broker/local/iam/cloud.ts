import {
  CognitoIdentityClient,
  GetCredentialsForIdentityCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished } from 'vitest';
import type { LocalCloud } from '../../../../broker/local/cloud.ts';
import { startLocalCloud } from '../../../../broker/local/cloud.ts';
import { MISSING_KEYS } from '../../../support/missing-keys.ts';
import { POLICIES, temporaryFolder } from './fixture.ts';

/** A key pair as AWS's clients take it. */
export interface Pair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** AWS's own clients for one caller; nothing is tried twice. */
export interface Clients {
  readonly s3: S3Client;
  readonly kms: KMSClient;
  readonly cognito: CognitoIdentityClient;
}

/** Starts a local cloud until the test ends. */
export async function startCloud(
  policiesFolder = POLICIES,
  dataFolder = temporaryFolder(),
  nowMs: () => number = Date.now,
  missingKeys = MISSING_KEYS,
): Promise<LocalCloud> {
  const cloud = await startLocalCloud({ dataFolder, port: 0, policiesFolder, nowMs, missingKeys });
  onTestFinished(() => cloud.close());
  return cloud;
}

/** Clients that sign with `credentials`. */
export function clientsOf(
  { description: { region, s3Endpoint, kmsEndpoint, cognitoEndpoint } }: LocalCloud,
  credentials: Pair,
): Clients {
  const common = { region, credentials, maxAttempts: 1 };
  return {
    s3: new S3Client({
      ...common,
      endpoint: s3Endpoint,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    }),
    kms: new KMSClient({ ...common, endpoint: kmsEndpoint }),
    cognito: new CognitoIdentityClient({ ...common, endpoint: cognitoEndpoint }),
  };
}

/** The administrator's clients. */
export function administratorOf(cloud: LocalCloud): Clients {
  const { accessKeyId, secretAccessKey } = cloud.description;
  return clientsOf(cloud, { accessKeyId, secretAccessKey });
}

/** The broker role's clients. */
export function brokerOf(cloud: LocalCloud): Clients {
  const { brokerAccessKeyId: accessKeyId, brokerSecretAccessKey: secretAccessKey } = cloud.description;
  return clientsOf(cloud, { accessKeyId, secretAccessKey });
}

/** The way of the broker to a vault: a token for the vault's user, then the vault's own credentials. */
export async function openVault(
  cloud: LocalCloud,
  user: string,
): Promise<Clients & { readonly vault: string; readonly pair: Pair }> {
  const { cognito } = brokerOf(cloud);
  const { identityPoolId, developerProviderName } = cloud.description;
  const opened = await cognito.send(
    new GetOpenIdTokenForDeveloperIdentityCommand({
      IdentityPoolId: identityPoolId,
      Logins: { [developerProviderName]: user },
    }),
  );
  const { Credentials } = await cognito.send(
    new GetCredentialsForIdentityCommand({
      IdentityId: opened.IdentityId,
      Logins: { 'cognito-identity.amazonaws.com': opened.Token! },
    }),
  );
  expect(Credentials?.Expiration).toBeInstanceOf(Date);
  const { AccessKeyId, SecretKey, SessionToken } = Credentials!;
  const pair = { accessKeyId: AccessKeyId!, secretAccessKey: SecretKey!, sessionToken: SessionToken! };
  return { ...clientsOf(cloud, pair), vault: opened.IdentityId!, pair };
}
