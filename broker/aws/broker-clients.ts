import { CognitoIdentityClient } from '@aws-sdk/client-cognito-identity';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { DomainPorts } from '../domain/domain.ts';
import { readPresent } from './absence.ts';
import { checkConformance } from './conformance.ts';
import { createBrokerKms } from './broker-kms.ts';
import { lean, LEAN } from './lean-client.ts';
import { addressOf, s3OriginOf } from './s3-address.ts';
import { createStateStore } from './state-store.ts';
import { createStateVersions } from './state-versions.ts';
import { VaultClientCache } from './vault-clients.ts';
import { vaultCredentials } from './vault-credentials.ts';
import { vaultIdentities } from './vault-identities.ts';
import { vaultKms } from './vault-kms.ts';
import { vaultLogins } from './vault-logins.ts';
import { vaultObjects } from './vault-objects.ts';
import { unfinishedUploads } from './unfinished-uploads.ts';
import { vaultPurger } from './vault-purger.ts';

/** Where the cloud is, and as whom the broker speaks to it. Endpoints are absent on AWS itself. */
export interface CloudPlace {
  readonly region: string;
  readonly bucket: string;
  readonly kmsKeyId: string;
  readonly identityPoolId: string;
  readonly developerProviderName: string;
  readonly s3Endpoint: string | undefined;
  /** Scheme, host and port under which the browser sees S3, where that is another than the broker's. */
  readonly s3PublicUrl: string | undefined;
  readonly kmsEndpoint: string | undefined;
  readonly cognitoEndpoint: string | undefined;
  /** Absent where the SDK finds them itself. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** All that a domain needs but the time. */
export interface CloudPorts extends Omit<DomainPorts, 'clock'> {
  /** @throws StartRefused `store_unfit` when S3 is not AWS's own, and does not do what the broker relies on */
  readonly conformance: () => Promise<void>;
  /** Under which the browser sees S3, as its URLs are signed. */
  readonly s3Origin: () => Promise<string>;
  readonly checks: { readonly s3: () => Promise<number>; readonly kms: () => Promise<unknown> };
  close(): void;
}

/**
 * Three tries of it end before the time for a request does, so that nothing happens after its client was told of a
 * failure.
 */
const TIMEOUTS = {
  connectionTimeout: 3_000,
  requestTimeout: 9_000,
  throwOnRequestTimeout: true,
  // The limit above ends at the headers; this one is on silence, in the middle of a body too.
  socketTimeout: 9_000,
} as const;

/** All ports on AWS SDK v3, which the local cloud speaks too. */
export function connectCloud(place: CloudPlace): CloudPorts {
  const common = {
    ...LEAN,
    region: place.region,
    ...(place.credentials && { credentials: place.credentials }),
    maxAttempts: 3,
    requestHandler: TIMEOUTS,
  };
  const at = (endpoint: string | undefined) => (endpoint === undefined ? {} : { endpoint });
  const s3 = lean(
    new S3Client({
      ...common,
      ...addressOf(place.region, place.s3Endpoint),
      // The signature covers what is sent, and what is read carries a MAC.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
  );
  const kms = lean(new KMSClient({ ...common, ...at(place.kmsEndpoint) }));
  const cognito = lean(new CognitoIdentityClient({ ...common, ...at(place.cognitoEndpoint) }));

  const state = createStateStore(s3, place.bucket);
  const logins = vaultLogins(state);
  const { identityPoolId, developerProviderName } = place;
  const fetchCredentials = vaultCredentials({ cognito, identityPoolId, developerProviderName, logins });
  const cache = new VaultClientCache(place, fetchCredentials);
  return {
    state,
    versions: createStateVersions(s3, place.bucket),
    kms: createBrokerKms(kms, place.kmsKeyId),
    vaultKms: vaultKms(cache),
    vaultObjects: vaultObjects(cache),
    identities: vaultIdentities({
      ...{ cognito, identityPoolId, developerProviderName, logins },
      warm: (vault, token) => cache.warm(vault, token),
    }),
    purger: vaultPurger(s3, place.bucket),
    unfinished: unfinishedUploads(s3, place.bucket),
    async conformance() {
      if (place.s3Endpoint === undefined) return;
      const s3ForUrls = new S3Client({
        ...common,
        ...addressOf(place.region, place.s3Endpoint),
        requestChecksumCalculation: 'WHEN_REQUIRED',
      });
      try {
        await checkConformance({ s3, s3ForUrls, bucket: place.bucket, state });
      } finally {
        s3ForUrls.destroy();
      }
    },
    s3Origin: () => s3OriginOf(place.region, place.bucket, place.s3PublicUrl ?? place.s3Endpoint),
    checks: {
      s3: () => clockOfS3(s3, place.bucket),
      kms: () => kms.send(new DescribeKeyCommand({ KeyId: place.kmsKeyId })),
    },
    close() {
      cache.close();
      for (const client of [s3, kms, cognito]) client.destroy();
    },
  };
}

/** S3's own clock, from the Date header of any answer that it gives. */
async function clockOfS3(s3: S3Client, bucket: string): Promise<number> {
  let date: string | undefined;
  const name = { Bucket: bucket, Key: 'broker/setup' };
  const head = new HeadObjectCommand(name);
  head.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string> };
      date = headers?.['date'];
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
  // With options, though empty: what is put together here has a part of its own, and must not serve others.
  await readPresent(s3, name, () => s3.send(head, {}));
  const atMs = Date.parse(date ?? '');
  if (Number.isNaN(atMs)) throw new Error('expected a Date header from S3, got none');
  return atMs;
}
