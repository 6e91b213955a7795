import type { BlobId, VaultId } from '$contract/ids.ts';
import { blobPutUrl, uploadAbort, uploadComplete, uploadCreate } from '$contract/vault.ts';
import { toB64, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { compositeDigest, sha256 } from '../crypto/digest.ts';
import { createSealer, type Sealer } from '../crypto/floe.ts';
import { randomBytes, randomId } from '../crypto/random.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import { put } from '../remote/s3.ts';
import { persevere } from './backoff.ts';
import { inLanes, Turnstile } from './lanes.ts';
import { PartBuffers, reportGarbage } from './memory.ts';
import { PartUrls } from './part-urls.ts';
import { largestPartBytes, planBlob, type BlobPlan } from './plan.ts';
import { sealPart } from './sealing.ts';

/** Parts that are read and sealed at a time: each costs its plaintext and ciphertext in memory, and machines with two cores are common. */
const SEALING = 2;
/** PUTs at a time: more gain nothing on one connection pool. */
const SENDING = 4;
/** A URL lives five minutes; one that has waited for its turn so long on a slow line is asked for again. */
const URL_PATIENCE_MS = 60_000;
/** Parts under way: besides those, two that wait for their URL. */
const LANES = SEALING + SENDING + 2;

const CONTENT_KEY_BYTES = 32;

/** S3 takes minutes to put thousands of parts together; the broker waits a little less long. */
const COMPLETE_TIMEOUT_MS = 360_000;

/** A blob that lies in S3 whole, and waits for its envelope and its journal entry. */
export interface UploadedBlob {
  readonly blob: BlobId;
  readonly contentKey: Bytes;
  readonly plan: BlobPlan;
  /** As the journal pins it: base64 of the SHA-256, or S3's composite form `base64-N`. */
  readonly digest: string;
}

export interface UploadProgress {
  /** Ciphertext bytes that have left, of `plan.sealedBytes`. */
  readonly onSent: (doneBytes: number) => void;
  /** All is sealed and on its way; or S3 has all, and is asked to put it together. */
  readonly onPhase: (phase: 'uploading' | 'verifying') => void;
}

interface Where {
  readonly broker: Broker;
  readonly vault: VaultId;
  /** Of the vault key: part of the content's AAD. */
  readonly epoch: number;
}

/** Sealed, and copied to where requests are sent from. */
interface ReadyPart {
  readonly body: Blob;
  readonly digest: Bytes;
}

interface DonePart {
  readonly etag: string;
  readonly digest: Bytes;
  readonly sizeBytes: number;
}

/**
 * One file on its way up. `run` may be called again after a failure: it goes on with the parts that S3 lacks. Content that changed
 * never joins what is there: a source that changed is refused, and its new state is a new upload with a key of its own.
 */
export class Upload {
  readonly plan: BlobPlan;
  #blob = randomId() as BlobId;
  #contentKey = randomBytes(CONTENT_KEY_BYTES);
  readonly #done = new Map<number, DonePart>();
  readonly #sending = new Map<number, number>();
  readonly #source: Blob;
  readonly #where: Where;
  readonly #buffers: PartBuffers;
  readonly #sealingGate = new Turnstile(SEALING);
  readonly #sendingGate = new Turnstile(SENDING);
  #sealer: Sealer | undefined;
  #uploadId: string | undefined;
  /** The only part of a small blob: its PUT is create-only, so a repetition must be of the same bytes. */
  #whole: ReadyPart | undefined;

  /** @throws {HalfkeyError} `file_too_large` */
  constructor(source: Blob, where: Where) {
    this.plan = planBlob(source.size);
    this.#source = source;
    this.#where = where;
    this.#buffers = new PartBuffers(largestPartBytes(this.plan));
  }

  /** @throws {HalfkeyError} `source_changed`, `digest_mismatch`, `store_full`, what is unreachable, …; AbortError */
  async run(signal: AbortSignal, progress: UploadProgress): Promise<UploadedBlob> {
    const aad = sealAad('content', this.#where.vault, this.#blob, this.#where.epoch);
    this.#sealer ??= await createSealer(this.#contentKey, aad);
    const digest =
      this.plan.partCount === 1
        ? await this.#sendWhole(this.#sealer, signal, progress)
        : await this.#sendParts(this.#sealer, signal, progress);
    return { blob: this.#blob, contentKey: this.#contentKey, plan: this.plan, digest };
  }

  /** Tells S3 to forget the parts. Best effort: what is left is swept by the bucket's lifecycle. */
  async abandon(): Promise<void> {
    const { broker, vault } = this.#where;
    if (this.#uploadId === undefined) return;
    await broker.call(uploadAbort, { blob: this.#blob, uploadId: this.#uploadId }, { vault });
  }

  async #sendWhole(sealer: Sealer, signal: AbortSignal, progress: UploadProgress): Promise<string> {
    this.#whole ??= await this.#seal(sealer, 1);
    const { body, digest } = this.#whole;
    const { broker, vault } = this.#where;
    const sha256 = toB64(digest);
    progress.onPhase('uploading');
    await persevere(async () => {
      const request = { blob: this.#blob, sizeBytes: body.size, sha256 };
      const { url } = await broker.call(blobPutUrl, request, { vault, signal });
      try {
        await put({
          url,
          body,
          sha256B64: sha256,
          createOnly: true,
          signal,
          onProgress: progress.onSent,
        });
      } catch (error) {
        // The id is ours alone: that it exists means that an earlier reply was lost.
        if (!(error instanceof HalfkeyError && error.code === 'already_exists')) throw error;
      }
    }, signal);
    progress.onSent(body.size);
    this.#whole = undefined;
    reportGarbage(body.size);
    return sha256;
  }

  async #sendParts(sealer: Sealer, signal: AbortSignal, progress: UploadProgress): Promise<string> {
    const { broker, vault } = this.#where;
    this.#uploadId ??= await persevere(async () => {
      const request = { blob: this.#blob, sizeBytes: this.plan.sealedBytes };
      return (await broker.call(uploadCreate, request, { vault, signal })).uploadId;
    }, signal);
    const uploadId = this.#uploadId;
    try {
      const urls = new PartUrls(this.#where, { blob: this.#blob, uploadId }, signal);
      let sealed = this.#done.size;
      await inLanes(this.#missing(), LANES, signal, async (partNumber, laneSignal) => {
        const part = await this.#sealingGate.pass(() => this.#seal(sealer, partNumber));
        sealed += 1;
        if (sealed === this.plan.partCount) progress.onPhase('uploading');
        await this.#sendPart(urls, partNumber, part, laneSignal, progress);
      });
      progress.onPhase('verifying');
      return await this.#complete(uploadId, signal);
    } catch (error) {
      if (error instanceof HalfkeyError && this.#isSpoilt(error)) this.#startOver();
      throw error;
    }
  }

  async #seal(sealer: Sealer, partNumber: number): Promise<ReadyPart> {
    const bytes = await sealPart(this.#source, sealer, this.plan, partNumber, this.#buffers);
    const digest = await sha256(bytes);
    const body = new Blob([bytes]); // A copy.
    this.#buffers.giveBack(bytes);
    return { body, digest };
  }

  async #sendPart(
    urls: PartUrls,
    partNumber: number,
    { body, digest }: ReadyPart,
    signal: AbortSignal,
    progress: UploadProgress,
  ): Promise<void> {
    const [sizeBytes, sha256] = [body.size, toB64(digest)];
    const signed = { partNumber, sizeBytes, sha256 };
    const onProgress = (sentBytes: number) => {
      this.#sending.set(partNumber, sentBytes);
      progress.onSent(this.#sentBytes());
    };
    const etag = await persevere(async () => {
      const early = await urls.ask(signed);
      const askedMs = performance.now();
      return this.#sendingGate.pass(async () => {
        const isStale = performance.now() - askedMs > URL_PATIENCE_MS;
        const url = isStale ? await urls.ask(signed) : early;
        return put({ url, body, sha256B64: sha256, createOnly: false, signal, onProgress });
      });
    }, signal);
    reportGarbage(sizeBytes);
    this.#sending.delete(partNumber);
    this.#done.set(partNumber, { etag, digest, sizeBytes });
    progress.onSent(this.#sentBytes());
  }

  async #complete(uploadId: string, signal: AbortSignal): Promise<string> {
    const { broker, vault } = this.#where;
    const parts = [...this.#done].sort(([a], [b]) => a - b);
    const expected = await compositeDigest(parts.map(([, { digest }]) => digest));
    const request = {
      blob: this.#blob,
      uploadId,
      sizeBytes: this.plan.sealedBytes,
      parts: parts.map(([partNumber, { etag, digest }]) => ({ partNumber, etag, sha256: toB64(digest) })),
    };
    let isRepeated = false;
    const { digest } = await persevere(async () => {
      try {
        return await broker.call(uploadComplete, request, { vault, signal, timeoutMs: COMPLETE_TIMEOUT_MS });
      } catch (error) {
        if (!isRepeated || !(error instanceof HalfkeyError) || error.code !== 'upload_lost') throw error;
        // An earlier request whose answer was lost may be at work: until it is done S3 knows neither upload nor blob.
        throw new HalfkeyError('store_unreachable', 'the parts may be being put together', { cause: error });
      } finally {
        isRepeated = true;
      }
    }, signal);
    // What S3 says it holds is compared before anything is written that vouches for it.
    if (digest !== expected.text)
      throw new HalfkeyError('digest_mismatch', 'the store holds other bytes than were sent');
    return digest;
  }

  *#missing(): Generator<number> {
    for (let partNumber = 1; partNumber <= this.plan.partCount; partNumber++) {
      if (!this.#done.has(partNumber)) yield partNumber;
    }
  }

  #sentBytes(): number {
    let sum = 0;
    for (const { sizeBytes } of this.#done.values()) sum += sizeBytes;
    for (const sentBytes of this.#sending.values()) sum += sentBytes;
    return sum;
  }

  /** Whether S3 forgot the parts, or made something else of them. */
  #isSpoilt({ code, family }: HalfkeyError): boolean {
    const isAllSent = this.#done.size === this.plan.partCount;
    return code === 'upload_lost' || (isAllSent && (family === 'changed' || family === 'corrupt'));
  }

  /** The next run is of a new blob under a new key: a completion that was taken for lost may still come about. */
  #startOver(): void {
    this.#blob = randomId() as BlobId;
    this.#contentKey = randomBytes(CONTENT_KEY_BYTES);
    this.#sealer = undefined;
    this.#uploadId = undefined;
    this.#done.clear();
    this.#sending.clear();
  }
}
