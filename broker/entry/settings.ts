import { isIP } from 'node:net';
import * as v from 'valibot';
import { LIMITS } from '../contract/limits.ts';
import { StartRefused } from '../domain/start-refused.ts';

/** Where S3, KMS and Cognito are, and as whom the broker speaks to them. */
export interface Cloud {
  readonly region: string;
  readonly bucket: string;
  readonly kmsKeyId: string;
  readonly identityPoolId: string;
  readonly developerProviderName: string;
  /** Endpoints are absent on AWS itself. */
  readonly s3Endpoint: string | undefined;
  readonly kmsEndpoint: string | undefined;
  readonly cognitoEndpoint: string | undefined;
  /** Absent where the SDK finds them itself (role, profile, environment). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** `local`: no AWS configured, the broker brings the local cloud. `given`: AWS, or a local cloud that runs already. */
export type CloudChoice =
  | { readonly kind: 'local'; readonly dataFolder: string; readonly port: number }
  | { readonly kind: 'given'; readonly cloud: Cloud };

export interface Settings {
  readonly port: number;
  /** The address that the broker listens on. */
  readonly host: string;
  readonly origin: string;
  /** Scheme, host and port under which the browser sees S3; undefined: as the broker does. */
  readonly s3PublicUrl: string | undefined;
  readonly cloud: CloudChoice;
  readonly signupOpen: boolean;
  readonly grantSeconds: number;
  readonly grantReleases: number;
  readonly quotaBytes: number | undefined;
  readonly ratePerMinute: number;
  /** Proxies in front whose X-Forwarded-For is believed; 0: none, the connection's address counts. */
  readonly proxies: number;
  readonly logLevel: string;
}

const integer = (from: number, to: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, 'expected a whole number'),
    v.transform(Number),
    v.minValue(from, `expected at least ${String(from)}`),
    v.maxValue(to, `expected at most ${String(to)}`),
  );
const text = v.pipe(v.string(), v.minLength(1, 'expected a value, got an empty one'));
/** An origin alone: no path, and plain http on localhost only, where browsers allow WebCrypto. */
const Origin = v.pipe(
  v.string(),
  v.check(
    (value) => URL.canParse(value) && new URL(value).origin === value,
    'expected scheme://host[:port] alone',
  ),
  v.check(
    (value) => !URL.canParse(value) || isSecureOrigin(new URL(value)),
    'expected https, or http on localhost: browsers have no WebCrypto elsewhere',
  ),
);
const Endpoint = v.pipe(
  v.string(),
  v.check(
    (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    'expected an http(s) URL',
  ),
  v.check(
    (value) => !URL.canParse(value) || new URL(value).href === `${new URL(value).origin}/`,
    'expected scheme://host[:port] alone',
  ),
  v.transform((value) => new URL(value).origin),
);

const Common = {
  PORT: v.optional(integer(1, 65_534), '8787'),
  HALFKEY_HOST: v.optional(
    v.pipe(
      v.string(),
      v.check((value) => isIP(value) !== 0, 'expected an IP address, such as 127.0.0.1 or 0.0.0.0'),
    ),
    '127.0.0.1',
  ),
  HALFKEY_ORIGIN: v.optional(Origin),
  HALFKEY_S3_PUBLIC_URL: v.optional(Endpoint),
  HALFKEY_SIGNUP: v.optional(v.picklist(['open', 'closed'], 'expected open or closed'), 'open'),
  HALFKEY_GRANT_SECONDS: v.optional(integer(10, LIMITS.grantSeconds), String(LIMITS.grantSeconds)),
  HALFKEY_GRANT_RELEASES: v.optional(integer(1, LIMITS.grantReleases), String(LIMITS.grantReleases)),
  HALFKEY_QUOTA_BYTES: v.optional(integer(1, Number.MAX_SAFE_INTEGER)),
  HALFKEY_RATE_PER_MINUTE: v.optional(integer(1, 1_000_000), '120'),
  HALFKEY_PROXIES: v.optional(integer(0, 10)),
  LOG_LEVEL: v.optional(
    v.picklist(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'expected a level of pino'),
  ),
};
const LocalEnvironment = v.object({ ...Common, HALFKEY_DATA: v.optional(text, './data') });
const AwsEnvironment = v.pipe(
  v.object({
    ...Common,
    HALFKEY_BUCKET: text,
    AWS_REGION: text,
    HALFKEY_KMS_KEY: text,
    HALFKEY_IDENTITY_POOL: text,
    HALFKEY_DEVELOPER_PROVIDER: v.optional(text, 'halfkey'),
    HALFKEY_S3_ENDPOINT: v.optional(Endpoint),
    HALFKEY_ORIGIN: Origin,
  }),
  // The page's policy names the host that it may talk to: with a bucket of somebody else at the same one, it would name
  // that too.
  v.forward(
    v.partialCheck(
      [['HALFKEY_BUCKET'], ['HALFKEY_S3_ENDPOINT']],
      ({ HALFKEY_BUCKET: bucket, HALFKEY_S3_ENDPOINT: endpoint }) =>
        endpoint !== undefined || !bucket.includes('.'),
      'expected a name without dots: AWS serves others from a host that all buckets share',
    ),
    ['HALFKEY_BUCKET'],
  ),
);
/**
 * Without HALFKEY_BUCKET these say nothing: anyone who sets one has forgotten it, and is not to get a local cloud
 * instead.
 */
const AWS_ALONE = [
  'HALFKEY_KMS_KEY',
  'HALFKEY_IDENTITY_POOL',
  'HALFKEY_DEVELOPER_PROVIDER',
  'HALFKEY_S3_ENDPOINT',
];
/** What the local cloud prints when it starts, as far as the broker needs it. */
export const LocalCloudLine = v.object({
  s3Endpoint: Endpoint,
  kmsEndpoint: Endpoint,
  cognitoEndpoint: Endpoint,
  region: text,
  bucket: text,
  kmsKeyId: text,
  identityPoolId: text,
  developerProviderName: text,
  brokerAccessKeyId: text,
  brokerSecretAccessKey: text,
});
const RunningEnvironment = v.object({
  ...Common,
  HALFKEY_LOCAL_CLOUD: v.pipe(
    v.string(),
    v.parseJson(undefined, 'expected one line of JSON'),
    LocalCloudLine,
  ),
});

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses the environment, once. `HALFKEY_BUCKET` selects AWS; `HALFKEY_LOCAL_CLOUD`, the line that the local cloud
 * prints, one that runs already; with neither, the broker brings its own.
 * @param isTerminal somebody looks at what is printed: the log tells only of trouble, unless LOG_LEVEL is set
 * @throws StartRefused `settings_invalid` with every fault, by variable; no value is repeated
 */
export function parseSettings(environment: Environment, isTerminal = false): Settings {
  if (['HALFKEY_BUCKET', ...AWS_ALONE].some((name) => environment[name] !== undefined)) {
    const env = parse(AwsEnvironment, environment);
    return settingsOf(env, { kind: 'given', cloud: awsCloud(env) }, isTerminal);
  }
  if (environment['HALFKEY_LOCAL_CLOUD'] !== undefined) {
    const env = parse(RunningEnvironment, environment);
    return settingsOf(env, { kind: 'given', cloud: localCloud(env.HALFKEY_LOCAL_CLOUD) }, isTerminal);
  }
  const env = parse(LocalEnvironment, environment);
  // Always the next port: the cached shell keeps the policy that names it.
  return settingsOf(env, { kind: 'local', dataFolder: env.HALFKEY_DATA, port: env.PORT + 1 }, isTerminal);
}

/** The broker's own view of a local cloud. */
export function localCloud(line: v.InferOutput<typeof LocalCloudLine>): Cloud {
  const { brokerAccessKeyId: accessKeyId, brokerSecretAccessKey: secretAccessKey, ...place } = line;
  return { ...place, credentials: { accessKeyId, secretAccessKey } };
}

function awsCloud(env: v.InferOutput<typeof AwsEnvironment>): Cloud {
  return {
    region: env.AWS_REGION,
    bucket: env.HALFKEY_BUCKET,
    kmsKeyId: env.HALFKEY_KMS_KEY,
    identityPoolId: env.HALFKEY_IDENTITY_POOL,
    developerProviderName: env.HALFKEY_DEVELOPER_PROVIDER,
    s3Endpoint: env.HALFKEY_S3_ENDPOINT,
    kmsEndpoint: undefined,
    cognitoEndpoint: undefined,
    credentials: undefined,
  };
}

function settingsOf(
  env: v.InferOutput<v.ObjectSchema<typeof Common, undefined>>,
  cloud: CloudChoice,
  isTerminal: boolean,
): Settings {
  const origin = env.HALFKEY_ORIGIN ?? `http://localhost:${String(env.PORT)}`;
  if (env.HALFKEY_PROXIES === undefined && origin.startsWith('https:')) {
    // Too few make all people one address, too many let anyone who reaches the port make one up.
    throw new StartRefused(
      'settings_invalid',
      'HALFKEY_PROXIES: missing; with an https origin, say how many proxies stand in front of the broker: 1 for one of your own that ends TLS',
    );
  }
  return {
    port: env.PORT,
    host: env.HALFKEY_HOST,
    origin,
    s3PublicUrl: env.HALFKEY_S3_PUBLIC_URL,
    cloud,
    signupOpen: env.HALFKEY_SIGNUP === 'open',
    grantSeconds: env.HALFKEY_GRANT_SECONDS,
    grantReleases: env.HALFKEY_GRANT_RELEASES,
    quotaBytes: env.HALFKEY_QUOTA_BYTES,
    ratePerMinute: env.HALFKEY_RATE_PER_MINUTE,
    proxies: env.HALFKEY_PROXIES ?? 0,
    logLevel: env.LOG_LEVEL ?? (isTerminal ? 'warn' : 'info'),
  };
}

function parse<S extends v.GenericSchema>(schema: S, environment: Environment): v.InferOutput<S> {
  const result = v.safeParse(schema, environment);
  if (result.success) return result.output;
  const faults = result.issues.map((issue) => {
    const path = v.getDotPath(issue) ?? '';
    const missing = issue.input === undefined;
    // valibot's own messages quote what they got, and some variables are secret; ours do not.
    const said = issue.message.startsWith('Invalid') ? 'malformed' : issue.message;
    return `${path}: ${missing ? 'missing' : said}`;
  });
  throw new StartRefused('settings_invalid', faults.join('; '));
}

function isSecureOrigin({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost');
}
