import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { StartRefused } from '../domain/start-refused.ts';
import type { StateStore } from '../ports/state.ts';
import { readBody } from './read-body.ts';
import { faultStatus, storeFault } from './vault-faults.ts';

export interface ConformanceDeps {
  /** As the broker's own state is written. */
  readonly s3: S3Client;
  /** As URLs are signed: no checksums but those that are asked for. */
  readonly s3ForUrls: S3Client;
  readonly bucket: string;
  readonly state: Pick<StateStore, 'erase'>;
}

const CHECKSUM = 'x-amz-checksum-sha256';
const ANSWER_MS = 10_000;
/** More than S3's words for any refusal. */
const ANSWER_BYTES = 256 * 1024;
const HOUR_MS = 60 * 60 * 1000;
const WRITERS = 8;
const OK = 200;

type Condition = { readonly IfNoneMatch: string } | { readonly IfMatch: string };
type Check = (key: string, deps: ConformanceDeps) => Promise<boolean>;

/** What the broker relies on, by what it says when it does not hold; each check has a key of its own. */
const CHECKS = {
  'a create-only write (If-None-Match: *) of a key that exists is not refused with 412': async (
    key,
    deps,
  ) => {
    const first = await put(deps, key, 'first', { IfNoneMatch: '*' });
    const second = await put(deps, key, 'second', { IfNoneMatch: '*' });
    return first.status === OK && second.status === 412 && (await textAt(deps, key)) === 'first';
  },
  'of several create-only writes at once not exactly one succeeds': async (key, deps) => {
    const writers = Array.from({ length: WRITERS }, (_, n) =>
      put(deps, key, String(n), { IfNoneMatch: '*' }),
    );
    const statuses = (await Promise.all(writers)).map(({ status }) => status);
    const refused = statuses.filter((status) => status === 412 || status === 409);
    return statuses.includes(OK) && refused.length === WRITERS - 1;
  },
  'a write under a stale ETag (If-Match) is not refused with 412': async (key, deps) => {
    const { etag = '' } = await put(deps, key, 'first', { IfNoneMatch: '*' });
    const second = await put(deps, key, 'second', { IfMatch: etag });
    const stale = await put(deps, key, 'third', { IfMatch: etag });
    return second.status === OK && stale.status === 412 && (await textAt(deps, key)) === 'second';
  },
  'completing a create-only multipart upload of a key that exists is not refused with 412': async (
    key,
    deps,
  ) => {
    await put(deps, key, 'first', { IfNoneMatch: '*' });
    return (await completionStatus(deps, key)) === 412 && (await textAt(deps, key)) === 'first';
  },
  'a signed checksum header (x-amz-checksum-sha256) of other bytes is not refused': async (key, deps) => {
    const url = await uploadUrl(deps, key, 'right');
    const headers = { 'if-none-match': '*', [CHECKSUM]: sha256B64('right') };
    const wrong = await ask(url, { method: 'PUT', body: 'wrong', headers });
    const bare = await ask(url, { method: 'PUT', body: 'wrong', headers: { 'if-none-match': '*' } });
    const right = await ask(url, { method: 'PUT', body: 'right', headers });
    return wrong.status === 400 && bare.status === 403 && right.status === OK;
  },
  'a presigned URL with an altered signature is not refused with 403': async (key, deps) => {
    await put(deps, key, 'first', { IfNoneMatch: '*' });
    const url = await getSignedUrl(deps.s3ForUrls, new GetObjectCommand({ Bucket: deps.bucket, Key: key }));
    const altered = url.replace(/(X-Amz-Signature=)(.)/, (_all, name: string, digit: string) => {
      return name + (digit === '0' ? '1' : '0');
    });
    const whole = await ask(url);
    return whole.status === OK && whole.text === 'first' && (await ask(altered)).status === 403;
  },
  'a presigned URL past its expiry is not refused with 403': async (key, deps) => {
    await put(deps, key, 'first', { IfNoneMatch: '*' });
    const signingDate = new Date(Date.now() - HOUR_MS);
    const get = new GetObjectCommand({ Bucket: deps.bucket, Key: key });
    const url = await getSignedUrl(deps.s3ForUrls, get, { expiresIn: 60, signingDate });
    return (await ask(url)).status === 403;
  },
} as const satisfies Record<string, Check>;

/**
 * Tries out, in scratch keys that are removed again, what an S3 that is not AWS's must do for the broker to be safe on
 * it: many refuse nothing where they should.
 * @throws StartRefused `store_unfit`, naming everything that does not hold
 * @throws BrokerProblem `store_unreachable` when it does not answer
 */
export async function checkConformance(deps: ConformanceDeps): Promise<void> {
  const scratch = `broker/conformance/${randomBytes(16).toString('base64url')}`;
  const faults = await Promise.all(
    Object.entries(CHECKS).map(async ([fault, check], index) => {
      const key = `${scratch}/${String(index)}`;
      try {
        return (await check(key, deps)) ? [] : [fault];
      } catch (error) {
        const status = faultStatus(error) ?? 0;
        // An answer that says no, where a check could not even begin; 501 is an S3 that knows no such request.
        if ((status >= 400 && status < 500) || status === 501) return [fault];
        throw storeFault(error);
      } finally {
        await deps.state.erase(key);
      }
    }),
  );
  const all = faults.flat();
  if (all.length > 0) throw new StartRefused('store_unfit', `this S3 cannot be used: ${all.join('; ')}`);
}

async function put({ s3, bucket }: ConformanceDeps, Key: string, body: string, condition: Condition) {
  const command = new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from(body), ...condition });
  return settle(async () => ({ status: OK, etag: (await s3.send(command)).ETag }));
}

async function completionStatus({ s3, bucket }: ConformanceDeps, Key: string): Promise<number> {
  const upload = { Bucket: bucket, Key };
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ ...upload, ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' }),
  );
  const part = { ...upload, UploadId, PartNumber: 1, Body: 'part', ChecksumSHA256: sha256B64('part') };
  const { ETag } = await s3.send(new UploadPartCommand(part));
  const Parts = [{ PartNumber: 1, ETag, ChecksumSHA256: part.ChecksumSHA256 }];
  const { status } = await settle(async () => {
    const completion = { ...upload, UploadId, IfNoneMatch: '*', MultipartUpload: { Parts } };
    await s3.send(new CompleteMultipartUploadCommand(completion));
    return { status: OK, etag: undefined };
  });
  // Where it was completed after all there is nothing to abort.
  await settle(async () => {
    await s3.send(new AbortMultipartUploadCommand({ ...upload, UploadId }));
    return { status: OK, etag: undefined };
  });
  return status;
}

/** The status of an answer, errors too; no answer is a BrokerProblem. */
async function settle(run: () => Promise<{ status: number; etag: string | undefined }>) {
  try {
    return await run();
  } catch (error) {
    const status = faultStatus(error);
    if (status === undefined || status >= 500) throw error;
    return { status, etag: undefined };
  }
}

async function textAt({ s3, bucket }: ConformanceDeps, Key: string): Promise<string | undefined> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
  return Body && textOf(Body);
}

function uploadUrl({ s3ForUrls, bucket }: ConformanceDeps, Key: string, body: string): Promise<string> {
  const sums = { ContentLength: Buffer.byteLength(body), ChecksumSHA256: sha256B64(body) };
  const command = new PutObjectCommand({ Bucket: bucket, Key, IfNoneMatch: '*', ...sums });
  return getSignedUrl(s3ForUrls, command, { expiresIn: 60, unhoistableHeaders: new Set([CHECKSUM]) });
}

async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = response.body ? await textOf(Readable.fromWeb(response.body)) : '';
    return { status: response.status, text };
  } catch (error) {
    // Node's fetch throws a TypeError for a connection that fails.
    throw storeFault(new Error('expected an answer from S3, got none', { cause: error }));
  }
}

async function textOf(body: unknown): Promise<string> {
  return Buffer.from(await readBody(body, ANSWER_BYTES)).toString('utf8');
}

function sha256B64(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
