import { join } from 'node:path';
import { createCognito } from './cognito/cognito.ts';
import { lockFolder } from './folder-lock.ts';
import type { PolicyDocument } from './iam/document.ts';
import { createAuthorize, loadPolicies, parseBucketPolicy, type Policies } from './iam/policies.ts';
import { openCredentials } from './iam/credentials.ts';
import { PolicyError } from './iam/policy-error.ts';
import { createKms } from './kms/kms.ts';
import type { Authorize } from './principal.ts';
import { Refusal } from './refusal.ts';
import type { MissingKeys } from './s3/call.ts';
import { createS3Handler, type ReportFault } from './s3/s3.ts';
import { listen } from './server.ts';
import type { Verifier } from './sigv4/verify.ts';
import type { Bucket } from './store/bucket.ts';
import { BucketStore } from './store/bucket-store.ts';
import type { CorsRule } from './store/bucket-settings.ts';

/** How a local cloud is set up. */
export interface LocalCloudOptions {
  /** Everything it keeps; made when missing. */
  readonly dataFolder: string;
  /** On 127.0.0.1; 0: any that is free. */
  readonly port: number;
  /** The IAM policies, as they are deployed on AWS too. */
  readonly policiesFolder: string;
  /** Origins of the pages that may use the bucket. */
  readonly allowedOrigins?: readonly string[];
  readonly nowMs?: () => number;
  /** `strict` when absent. */
  readonly missingKeys?: MissingKeys;
  readonly report?: ReportFault;
  /** Told in a sentence of what is wrong with the data folder, where the rest of it can be served. */
  readonly warn?: (sentence: string) => void;
}

/** What one needs to use a local cloud; the CLI prints it. */
export interface LocalCloudDescription {
  readonly s3Endpoint: string;
  readonly kmsEndpoint: string;
  readonly cognitoEndpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly kmsKeyId: string;
  readonly identityPoolId: string;
  readonly developerProviderName: string;
  /** The administrator's. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The broker role's, which the policies limit. */
  readonly brokerAccessKeyId: string;
  readonly brokerSecretAccessKey: string;
}

/** A local cloud that listens. */
export interface LocalCloud {
  /** `http://127.0.0.1:PORT`, of all services. */
  readonly endpoint: string;
  readonly description: LocalCloudDescription;
  readonly close: () => Promise<void>;
}

const REGION = 'us-east-1';
const ACCOUNT_ID = '000000000000';
const BUCKET = 'halfkey';
const KEYS_NAMED = 20;
const DEFAULT_ORIGINS = ['http://localhost:8787'];

/**
 * Starts S3, KMS and Cognito identity on one loopback port. A start is also a deployment: the bucket, its versioning,
 * CORS and policy are made what the options and the policy files say.
 * @throws {Error} when the data folder is in use, its files are damaged, or a policy could not be evaluated to the
 *   letter
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const { dataFolder, policiesFolder, nowMs = Date.now } = options;
  const report = options.report ?? (() => undefined);
  const unlock = await lockFolder(dataFolder);
  let store: BucketStore | undefined;
  try {
    const credentials = await openCredentials(join(dataFolder, 'iam'), nowMs);
    const opened = await BucketStore.open(join(dataFolder, 's3'));
    store = opened;
    for (const bucket of opened.list()) if (bucket.lacking.length > 0) options.warn?.(lackOf(bucket));
    // The policies name the key and the pool, which ask the policies: they are looked up at the time of the question.
    let authorize: Authorize = () => false;
    const parts = {
      authorize: ((request) => authorize(request)) satisfies Authorize,
      region: REGION,
      accountId: ACCOUNT_ID,
      nowMs,
    };
    const kms = await createKms({ folder: join(dataFolder, 'kms'), ...parts });
    const cognito = await createCognito({ folder: join(dataFolder, 'cognito'), credentials, ...parts });
    const policies = loadPolicies(policiesFolder, {
      bucket: BUCKET,
      kmsKeyArn: kms.keyArn,
      region: REGION,
      accountId: ACCOUNT_ID,
      identityPoolId: cognito.identityPoolId,
    });
    await deployBucket(opened, policies, options.allowedOrigins ?? DEFAULT_ORIGINS, nowMs());
    authorize = authorizeByBucket(opened, policies);
    const verifier: Verifier = { findCredential: credentials.find, region: REGION, nowMs };
    const world = { store: opened, authorize, region: REGION, checkPolicy };
    const { missingKeys = 'strict' } = options;
    const s3 = createS3Handler({ ...world, missingKeys }, verifier, report);
    const services = [
      { targetPrefix: 'TrentService.', signingName: 'kms', handle: kms.handle },
      { targetPrefix: 'AWSCognitoIdentityService.', signingName: 'cognito-identity', handle: cognito.handle },
    ];
    const listening = await listen({ s3, services, verifier, report }, options.port);
    const endpoint = `http://127.0.0.1:${String(listening.port)}`;
    return {
      endpoint,
      description: {
        s3Endpoint: endpoint,
        kmsEndpoint: endpoint,
        cognitoEndpoint: endpoint,
        region: REGION,
        bucket: BUCKET,
        kmsKeyId: kms.keyId,
        identityPoolId: cognito.identityPoolId,
        developerProviderName: cognito.developerProviderName,
        accessKeyId: credentials.administrator.accessKeyId,
        secretAccessKey: credentials.administrator.secretAccessKey,
        brokerAccessKeyId: credentials.broker.accessKeyId,
        brokerSecretAccessKey: credentials.broker.secretAccessKey,
      },
      close: async () => {
        await listening.close();
        await opened.close();
        await unlock();
      },
    };
  } catch (error) {
    await store?.close();
    await unlock();
    throw error;
  }
}

/** Ids alone: what they are called is not known here. */
function lackOf({ name, lacking }: Bucket): string {
  const keys = [...new Set(lacking.map(({ key }) => key))].sort();
  const more = keys.length - KEYS_NAMED;
  return (
    `bucket ${name}: bodies missing or cut short: ${String(lacking.length)}, under ` +
    `${keys.slice(0, KEYS_NAMED).join(', ')}${more > 0 ? ` and ${String(more)} more keys` : ''}. ` +
    'The rest is served. docs/OPERATING.md says how a data folder that is in use is copied whole.'
  );
}

async function deployBucket(
  store: BucketStore,
  policies: Policies,
  origins: readonly string[],
  nowMs: number,
): Promise<void> {
  const bucket = store.find(BUCKET) ?? (await store.create(BUCKET, nowMs));
  const cors: CorsRule = {
    id: undefined,
    origins,
    methods: ['GET', 'PUT', 'HEAD'],
    headers: ['content-disposition', 'content-type', 'if-none-match', 'range', 'x-amz-checksum-sha256'],
    exposed: ['ETag', 'x-amz-checksum-sha256'],
    maxAgeSeconds: 3600,
  };
  await bucket.configure({ versioning: 'Enabled', cors: [cors], policy: policies.bucketPolicyText });
}

/** Each bucket has a policy of its own; it is read anew when its text has changed. */
function authorizeByBucket(store: BucketStore, policies: Policies): Authorize {
  const parsed = new Map<string, { text: string; document: PolicyDocument }>();
  const policyOf = (name: string): PolicyDocument | undefined => {
    const text = store.find(name)?.settings.policy;
    if (text === undefined) return undefined;
    const known = parsed.get(name);
    if (known?.text === text) return known.document;
    const document = parseBucketPolicy(text);
    parsed.set(name, { text, document });
    return document;
  };
  return (request) => {
    const [, name = ''] = /^arn:aws:s3:::([^/]*)/.exec(request.resource) ?? [];
    return createAuthorize(policies, () => policyOf(name))(request);
  };
}

function checkPolicy(text: string): void {
  try {
    parseBucketPolicy(text);
  } catch (error) {
    if (error instanceof PolicyError) throw new Refusal(400, 'MalformedPolicy', error.message);
    throw error;
  }
}
