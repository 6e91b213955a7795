import { LIMITS } from '$contract/limits.ts';
import { blobGetUrls } from '$contract/vault-blobs.ts';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { concat, release, toB64, type Bytes } from '../../bytes.ts';
import { sealAad } from '../../crypto/aad.ts';
import { compositeDigest, sha256 } from '../../crypto/digest.ts';
import {
  createOpener,
  HEADER_BYTES,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
  type Opener,
} from '../../crypto/floe.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import { chunksOf } from '../../remote/body.ts';
import { getRange } from '../../remote/s3.ts';
import { retry } from '../../remote/retry.ts';
import { PartBuffers } from '../memory.ts';
import { largestPartBytes, planPart, planStored, type BlobPlan, type PartPlan } from '../plan.ts';

/** Parts fetched ahead of the one that is being opened: two keep the line busy, and memory at three parts. */
const AHEAD = 2;

/** A signed URL lives for LIMITS.urlSeconds; one that is refused at this age was not refused for it. */
const YOUNG_MS = (LIMITS.urlSeconds * 1000) / 2;

/** What the journal pins of a version, as far as reading needs it. */
export interface StoredBlob {
  readonly blob: BlobId;
  readonly epoch: number;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly partBytes: number;
  readonly digest: string;
}

/** Parts of a blob that are stored on this device. */
export interface KeptParts {
  /** @returns undefined when it is not there any more: then it is fetched */
  part(part: PartPlan): Promise<Blob | undefined>;
  /** They turned out not to be what the journal pins. */
  onWrong(): void;
}

/**
 * Does something at a server, again and again while that is worth it.
 * @throws what the work throws in the end; the signal's reason
 */
export type Attempt = <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** The ways to the two servers that a blob is fetched from. */
export interface Ways {
  readonly broker: Attempt;
  readonly store: Attempt;
}

/** For somebody who asks for a few minutes, and then wants to know. */
export const INSISTING: Ways = { broker: (work) => work(), store: retry };

/** Where a blob is fetched from. */
export interface Where {
  readonly broker: Broker;
  readonly vault: VaultId;
  readonly kept?: KeptParts | undefined;
  readonly ways?: Ways;
  /** A URL that was asked for with those of others, and when; undefined when there is none. */
  readonly firstUrl?: (
    blob: BlobId,
  ) => Promise<{ readonly url: string; readonly askedAtMs: number } | undefined>;
}

/**
 * The blob's ciphertext as it is stored in S3, part by part; each is the taker's, to keep or to release.
 * The last part is given only after the digest of all was found to be the journal's.
 * @throws {HalfkeyError} `digest_mismatch`, `ciphertext_truncated`, what is unreachable; AbortError
 */
export async function* readSealed(
  where: Where,
  stored: StoredBlob,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  const plan = planStored(stored);
  const digests: Bytes[] = [];
  const buffers = new PartBuffers(largestPartBytes(plan));
  for await (const bytes of fetchParts(where, stored.blob, plan, buffers, signal)) {
    digests.push(await sha256(bytes));
    if (digests.length === plan.partCount) await checkDigest(stored, digests, where.kept);
    yield bytes;
  }
}

/**
 * The file's content in order, segment by segment, each the taker's; the padding is cut off. The last segment is given
 * only after the digest of the whole ciphertext was found to be the journal's, so that a read that ends well was of
 * exactly that version.
 * @throws {HalfkeyError} `key_mismatch`, `segment_corrupt`, … as FLOE; `digest_mismatch`; what is unreachable;
 *   AbortError
 */
export function readContent(
  where: Where,
  stored: StoredBlob,
  contentKey: Bytes,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  const plan = planStored(stored);
  const buffers = new PartBuffers(largestPartBytes(plan));
  const parts = fetchParts(where, stored.blob, plan, buffers, signal);
  return openParts(where, stored, { parts, buffers }, contentKey);
}

/** A file of one part whose ciphertext is on its way before there is a key for it. */
export interface EarlyContent {
  /** As `readContent`; once. */
  read(contentKey: Bytes): AsyncGenerator<Bytes>;
  /** It is not read, or not read on. */
  abandon(): void;
}

/**
 * Has the ciphertext of a small file fetched while its key is being released.
 * @returns undefined for a file of several parts: it is not known yet whether it will be read
 */
export function fetchEarly(where: Where, stored: StoredBlob, signal: AbortSignal): EarlyContent | undefined {
  const plan = planOf(stored);
  if (plan?.partCount !== 1) return undefined;
  const stop = new AbortController();
  const buffers = new PartBuffers(largestPartBytes(plan));
  const parts = fetchParts(where, stored.blob, plan, buffers, AbortSignal.any([signal, stop.signal]));
  const first = parts.next();
  first.catch(() => undefined); // Anyone who reads meets it.
  return {
    read: (contentKey) => openParts(where, stored, { parts: goOn(first, parts), buffers }, contentKey),
    abandon: () => {
      stop.abort(new DOMException('nobody reads on', 'AbortError'));
    },
  };
}

/** What is wrong with a plan is said when it is read. */
function planOf(stored: StoredBlob): BlobPlan | undefined {
  try {
    return planStored(stored);
  } catch {
    return undefined;
  }
}

async function* goOn(
  first: Promise<IteratorResult<Bytes>>,
  parts: AsyncGenerator<Bytes>,
): AsyncGenerator<Bytes> {
  const result = await first;
  if (result.done) return;
  yield result.value;
  yield* parts;
}

async function* openParts(
  where: Where,
  stored: StoredBlob,
  { parts, buffers }: { readonly parts: AsyncGenerator<Bytes>; readonly buffers: PartBuffers },
  contentKey: Bytes,
): AsyncGenerator<Bytes> {
  const plan = planStored(stored);
  const aad = sealAad('content', where.vault, stored.blob, stored.epoch);
  const digests: Bytes[] = [];
  let opener: Opener | undefined;
  let withheld: Bytes | undefined;
  for await (const bytes of parts) {
    const part = planPart(plan, digests.length + 1);
    // WebCrypto works on threads of its own: the hash costs no time beside the opening.
    const digest = sha256(bytes);
    opener ??= await createOpener(contentKey, aad, bytes.subarray(0, HEADER_BYTES));
    for await (const segment of openPart(opener, plan, part, bytes, where.kept)) {
      if (withheld) yield withheld;
      withheld = segment;
    }
    digests.push(await digest);
    buffers.giveBack(bytes);
  }
  await checkDigest(stored, digests, where.kept);
  if (withheld && withheld.length > 0) yield withheld;
}

async function* openPart(
  opener: Opener,
  plan: BlobPlan,
  part: PartPlan,
  bytes: Bytes,
  kept: KeptParts | undefined,
): AsyncGenerator<Bytes> {
  let offset = part.partNumber === 1 ? HEADER_BYTES : 0;
  for (let index = 0; index < part.segmentCount; index++) {
    const segmentIndex = part.firstSegmentIndex + index;
    const last = segmentIndex === plan.segmentCount - 1;
    const sealed = bytes.subarray(offset, offset + SEGMENT_BYTES);
    const plaintext = await opener.openSegment(segmentIndex, sealed, last).catch((error: unknown) => {
      kept?.onWrong();
      throw error;
    });
    offset += SEGMENT_BYTES;
    const trueBytes = plan.sizeBytes - segmentIndex * SEGMENT_PLAINTEXT_BYTES;
    if (trueBytes > 0) yield plaintext.subarray(0, Math.min(plaintext.length, trueBytes));
    else release(plaintext);
  }
}

/** In order, with the next ones on their way. */
async function* fetchParts(
  where: Where,
  blob: BlobId,
  plan: BlobPlan,
  buffers: PartBuffers,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const address = new BlobAddress(where, blob);
  const ahead: Promise<Bytes>[] = [];
  let next = 1;
  try {
    while (next <= plan.partCount || ahead.length > 0) {
      while (next <= plan.partCount && ahead.length <= AHEAD) {
        const part = planPart(plan, next++);
        const bytes = takePart(where, address, part, buffers, either);
        bytes.catch(() => undefined); // It is awaited below, or not wanted any more.
        ahead.push(bytes);
      }
      const first = ahead.shift();
      if (first) yield await first;
    }
  } finally {
    stop.abort();
  }
}

/** From this device if it is kept here, else from S3. */
async function takePart(
  { kept, ways = INSISTING }: Where,
  address: BlobAddress,
  part: PartPlan,
  buffers: PartBuffers,
  signal: AbortSignal,
): Promise<Bytes> {
  const here = await readKept(kept, part);
  if (!here) return ways.store(() => fetchPart(address, part, buffers, signal), signal);
  const bytes = buffers.take(part.sizeBytes);
  bytes.set(here);
  return bytes;
}

/** @returns undefined when it is not there whole any more: the browser may take it away even while it is read */
async function readKept(kept: KeptParts | undefined, part: PartPlan): Promise<Bytes | undefined> {
  const file = await kept?.part(part);
  const bytes = await file?.arrayBuffer().catch(() => undefined);
  if (bytes?.byteLength === part.sizeBytes) return new Uint8Array(bytes);
  if (file) kept?.onWrong();
  return undefined;
}

async function fetchPart(
  address: BlobAddress,
  part: PartPlan,
  buffers: PartBuffers,
  signal: AbortSignal,
): Promise<Bytes> {
  const url = await address.url(signal);
  const range = { fromByte: part.offsetBytes, untilByte: part.offsetBytes + part.sizeBytes };
  const bytes = buffers.take(part.sizeBytes);
  try {
    let filled = 0;
    const body = await getRange(url, range, signal);
    address.works();
    for await (const chunk of chunksOf(body, 'store_unreachable')) {
      if (filled + chunk.length > bytes.length) throw truncatedOr('ciphertext_overlong', part);
      bytes.set(chunk, filled);
      filled += chunk.length;
      // A view of something larger would take that along.
      if (chunk.length === chunk.buffer.byteLength) release(chunk);
    }
    if (filled < bytes.length) throw truncatedOr('ciphertext_truncated', part);
    return bytes;
  } catch (error) {
    buffers.giveBack(bytes);
    if (error instanceof HalfkeyError && error.code === 'url_expired') address.renew(url);
    throw error;
  }
}

function truncatedOr(code: 'ciphertext_truncated' | 'ciphertext_overlong', part: PartPlan): HalfkeyError {
  return new HalfkeyError(code, `expected ${String(part.sizeBytes)} bytes`, {
    detail: { partNumber: part.partNumber },
  });
}

/** The presigned URL of one blob, asked for once and again when it has expired. */
class BlobAddress {
  readonly #where: Where;
  readonly #blob: BlobId;
  #url: Promise<string> | undefined;
  #value: string | undefined;
  #askedAtMs = 0;
  #isFirst = true;
  /** URLs in a row that were refused before they can have expired. */
  #refusedYoung = 0;

  constructor(where: Where, blob: BlobId) {
    this.#where = where;
    this.#blob = blob;
  }

  async url(signal: AbortSignal): Promise<string> {
    this.#requirePresent();
    this.#url ??= this.#ask(signal);
    try {
      return (this.#value = await this.#url);
    } catch (error) {
      this.#url = undefined;
      throw error;
    }
  }

  /**
   * Several parts may find the same URL expired: only the first makes a new one.
   * @throws {HalfkeyError} `not_found` when it cannot be for its age, and neither could the one before: so S3 says that
   *   a blob is missing to those who may not list the bucket
   */
  renew(refused: string): void {
    if (this.#value !== refused) return;
    this.#url = undefined;
    this.#value = undefined;
    this.#refusedYoung = Date.now() - this.#askedAtMs < YOUNG_MS ? this.#refusedYoung + 1 : 0;
    this.#requirePresent();
  }

  /** S3 took it. */
  works(): void {
    this.#refusedYoung = 0;
  }

  #requirePresent(): void {
    if (this.#refusedYoung > 1) throw new HalfkeyError('not_found', 'new URLs of this blob are refused, too');
  }

  async #ask(signal: AbortSignal): Promise<string> {
    const { broker, vault, ways = INSISTING, firstUrl } = this.#where;
    const first = this.#isFirst ? await firstUrl?.(this.#blob) : undefined;
    this.#isFirst = false;
    if (first) {
      this.#askedAtMs = first.askedAtMs;
      return first.url;
    }
    const { urls } = await ways.broker(() => {
      this.#askedAtMs = Date.now();
      return broker.call(blobGetUrls, { blobs: [this.#blob] }, { vault, signal });
    }, signal);
    const url = urls[0]?.url;
    if (url === undefined) throw new HalfkeyError('broker_unreachable', 'expected one URL, got none');
    return url;
  }
}

async function checkDigest(
  { digest }: StoredBlob,
  digests: readonly Bytes[],
  kept: KeptParts | undefined,
): Promise<void> {
  const [only] = digests;
  const isComposite = digests.length > 1 || digest.includes('-');
  const whole = isComposite ? (await compositeDigest(digests)).text : toB64(only ?? concat());
  if (whole === digest) return;
  kept?.onWrong();
  throw new HalfkeyError('digest_mismatch', 'the ciphertext is not the one that the journal pins');
}
