import type { Query, WireHeaders } from '../http-headers.ts';
import type { Authorize, Principal } from '../principal.ts';
import { accessDenied } from '../refusal.ts';
import type { SignatureSeed } from '../sigv4/verify.ts';
import type { BucketStore } from '../store/bucket-store.ts';

/** A request to S3 whose caller is known. */
export interface S3Call {
  readonly method: string;
  /** Empty for the service itself. */
  readonly bucketName: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: Query;
  readonly headers: WireHeaders;
  readonly principal: Principal;
  readonly authType: 'REST-HEADER' | 'REST-QUERY-STRING' | 'POST';
  readonly signatureAgeMs: number | undefined;
  /** The `x-amz-content-sha256` that was signed. */
  readonly payloadHash: string;
  /** Absent for a POST, which has no chunks. */
  readonly seed: SignatureSeed | undefined;
  /** The raw body. Reading it tells a waiting client to go on. */
  readonly body: () => AsyncIterable<Uint8Array>;
  readonly nowMs: number;
}

/**
 * What is answered for a key that is not there to those who may list it by its prefix alone: 403, as AWS's
 * documentation reads (`strict`), or 404 (`lenient`).
 */
export type MissingKeys = 'strict' | 'lenient';

/** What an operation works with. */
export interface S3World {
  readonly store: BucketStore;
  readonly authorize: Authorize;
  readonly region: string;
  readonly missingKeys: MissingKeys;
  /** Throws a Refusal when the text is not a bucket policy that could be evaluated. */
  readonly checkPolicy: (text: string) => void;
}

/** What an operation answers; a body comes with its length, be it in memory or not. */
export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly xml?: string;
  readonly json?: string;
  /** A body that is in memory. */
  readonly content?: Uint8Array;
  readonly bytes?: { readonly sizeBytes: number; readonly source: AsyncIterable<Uint8Array> };
}

export type Operation = (call: S3Call, world: S3World) => Promise<S3Answer>;

/** Conditions that an operation adds to the request's own. */
export type Context = Readonly<Record<string, string | undefined>>;

/** Whether the policies allow `action` on the call's key (or `key`), or on the bucket when there is none. */
export function isAllowed(
  call: S3Call,
  world: S3World,
  action: string,
  context: Context = {},
  key: string = call.key,
): boolean {
  const bucket = `arn:aws:s3:::${call.bucketName === '' ? '*' : call.bucketName}`;
  return world.authorize({
    principal: call.principal,
    action,
    resource: key === '' ? bucket : `${bucket}/${key}`,
    context: { ...requestContext(call), ...context },
  });
}

/** @throws {Refusal} 403 when the policies do not allow it */
export function demand(
  call: S3Call,
  world: S3World,
  action: string,
  context: Context = {},
  key?: string,
): void {
  if (!isAllowed(call, world, action, context, key)) throw accessDenied();
}

function requestContext({ headers, authType, signatureAgeMs, payloadHash, query }: S3Call): Context {
  return {
    'aws:SecureTransport': 'false',
    's3:authType': authType,
    's3:signatureversion': 'AWS4-HMAC-SHA256',
    's3:signatureAge': signatureAgeMs === undefined ? undefined : String(signatureAgeMs),
    's3:x-amz-content-sha256': payloadHash,
    's3:VersionId': query.get('versionId'),
    's3:x-amz-acl': headers.get('x-amz-acl'),
    's3:x-amz-copy-source': headers.get('x-amz-copy-source'),
    's3:x-amz-server-side-encryption': headers.get('x-amz-server-side-encryption'),
    's3:x-amz-server-side-encryption-customer-algorithm': headers.get(
      'x-amz-server-side-encryption-customer-algorithm',
    ),
  };
}
