import type { BlobId, VaultId } from '$contract/ids.ts';
import { blobPutUrl, uploadAbort, uploadComplete, uploadCreate, uploadPartUrls } from '$contract/vault.ts';
import { toB64, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { compositeDigest } from '../crypto/digest.ts';
import { createSealer, type Sealer } from '../crypto/floe.ts';
import { randomBytes, randomId } from '../crypto/random.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import { put } from '../remote/s3.ts';
import { persevere } from './backoff.ts';
import { inLanes } from './lanes.ts';
import { planBlob, type BlobPlan } from './plan.ts';
import { sealPart, type SealedPart } from './sealing.ts';

/** Parts in flight: more gain nothing on one connection pool, and each costs its plaintext and ciphertext in memory. */
const LANES = 4;

const CONTENT_KEY_BYTES = 32;

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
  readonly #blob = randomId() as BlobId;
  readonly #contentKey = randomBytes(CONTENT_KEY_BYTES);
  readonly #done = new Map<number, DonePart>();
  readonly #sending = new Map<number, number>();
  readonly #source: Blob;
  readonly #where: Where;
  #sealer: Sealer | undefined;
  #uploadId: string | undefined;
  /** The only part of a small blob: its PUT is create-only, so a repetition must be of the same bytes. */
  #whole: SealedPart | undefined;

  /** @throws {HalfkeyError} `file_too_large` */
  constructor(source: Blob, where: Where) {
    this.plan = planBlob(source.size);
    this.#source = source;
    this.#where = where;
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
    this.#whole ??= await sealPart(this.#source, sealer, this.plan, 1);
    const { bytes, digest } = this.#whole;
    const { broker, vault } = this.#where;
    const sha256 = toB64(digest);
    progress.onPhase('uploading');
    await persevere(async () => {
      const request = { blob: this.#blob, sizeBytes: bytes.length, sha256 };
      const { url } = await broker.call(blobPutUrl, request, { vault, signal });
      try {
        await put({
          url,
          body: new Blob([bytes]),
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
    progress.onSent(bytes.length);
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
      let sealed = this.#done.size;
      await inLanes(this.#missing(), LANES, signal, async (partNumber, laneSignal) => {
        const part = await sealPart(this.#source, sealer, this.plan, partNumber);
        sealed += 1;
        if (sealed === this.plan.partCount) progress.onPhase('uploading');
        await this.#sendPart(uploadId, partNumber, part, laneSignal, progress);
      });
      progress.onPhase('verifying');
      return await this.#complete(uploadId, signal);
    } catch (error) {
      // S3 forgot the parts: the next run begins a new multipart upload of the same blob.
      if (error instanceof HalfkeyError && error.code === 'upload_lost') this.#startOver();
      throw error;
    }
  }

  async #sendPart(
    uploadId: string,
    partNumber: number,
    { bytes, digest }: SealedPart,
    signal: AbortSignal,
    progress: UploadProgress,
  ): Promise<void> {
    const { broker, vault } = this.#where;
    const [sizeBytes, sha256] = [bytes.length, toB64(digest)];
    const body = new Blob([bytes]);
    const etag = await persevere(async () => {
      const request = { blob: this.#blob, uploadId, parts: [{ partNumber, sizeBytes, sha256 }] };
      const { urls } = await broker.call(uploadPartUrls, request, { vault, signal });
      const url = urls[0]?.url;
      if (url === undefined)
        throw new HalfkeyError('broker_unreachable', 'expected the URL of one part, got none');
      const onProgress = (sentBytes: number) => {
        this.#sending.set(partNumber, sentBytes);
        progress.onSent(this.#sentBytes());
      };
      return put({ url, body, sha256B64: sha256, createOnly: false, signal, onProgress });
    }, signal);
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
    const { digest } = await persevere(() => broker.call(uploadComplete, request, { vault, signal }), signal);
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

  #startOver(): void {
    this.#uploadId = undefined;
    this.#done.clear();
    this.#sending.clear();
  }
}
