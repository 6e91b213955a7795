import { release, type Bytes } from '../../bytes.ts';
import { sealAad } from '../../crypto/aad.ts';
import { sha256 } from '../../crypto/digest.ts';
import { createSealer, type Sealer } from '../../crypto/floe.ts';
import { createSourceTagger, type SourceTagger } from '../../crypto/source-tag.ts';
import { HalfkeyError } from '../../errors.ts';
import type { StreamedUpload } from '../../store/database.ts';
import type { UploadRecords } from '../../store/upload-records.ts';
import { Semaphore } from '../../concurrency/semaphore.ts';
import { PartBuffers } from '../memory.ts';
import { largestPartBytes, planPart, type BlobPlan } from '../plan.ts';
import { readPadded, sealPart } from './sealing.ts';
import type { PartSupply, ReadyPart } from './part-supply.ts';

/** Parts that are read and sealed at a time. */
const SEALING = 2;

export interface StreamingDeps {
  readonly records: UploadRecords;
  readonly source: Blob;
  readonly plan: BlobPlan;
  /** 32 bytes; not needed any more once this is made. */
  readonly contentKey: Bytes;
  readonly signal: AbortSignal;
}

/** What the blob's ciphertext is bound to, and what it begins with where it was begun before. */
type StreamedBlob = Pick<StreamedUpload, 'blob' | 'vault' | 'epoch'> &
  Partial<Pick<StreamedUpload, 'header'>>;

/**
 * Parts that are made as they are asked for, from a file that must be read for each: what this device has no room for.
 * Digest and source tag of a part are on the disk before it is given away, so that after a crash the same file can go
 * on with it.
 */
export class Streaming implements PartSupply {
  /** Sealed once more it would be other bytes: a new upload begins with a new key. */
  readonly isRepeatable = false;
  readonly #upload: StreamedBlob;
  readonly #deps: StreamingDeps;
  readonly #sealer: Sealer;
  readonly #tagger: SourceTagger;
  readonly #known = new Map<number, Bytes>();
  readonly #semaphore = new Semaphore(SEALING);
  readonly #buffers: PartBuffers;

  private constructor(upload: StreamedBlob, deps: StreamingDeps, sealer: Sealer, tagger: SourceTagger) {
    this.#upload = upload;
    this.#deps = deps;
    this.#sealer = sealer;
    this.#tagger = tagger;
    this.#buffers = new PartBuffers(largestPartBytes(deps.plan));
  }

  /** @returns it, and what the ciphertext begins with: to be on the disk before the first part is asked for */
  static async begin(
    upload: StreamedBlob,
    deps: StreamingDeps,
  ): Promise<{ parts: Streaming; header: Bytes }> {
    const { vault, blob, epoch, header } = upload;
    const { contentKey } = deps;
    const [sealer, tagger] = await Promise.all([
      createSealer(contentKey, sealAad('content', vault, blob, epoch), header ? { header } : {}),
      createSourceTagger(contentKey),
    ]);
    return { parts: new Streaming(upload, deps, sealer, tagger), header: sealer.header };
  }

  /**
   * Compares the file with what was sent of it.
   * @throws {HalfkeyError} `source_changed` when it is another file
   */
  async compare(): Promise<void> {
    const { records, source, plan, signal } = this.#deps;
    for (const { partNumber, digest, sourceTag } of await records.parts(this.#upload.blob)) {
      signal.throwIfAborted();
      const plaintext = await readPadded(source, plan, planPart(plan, partNumber));
      const isSame = await this.#tagger.matches(plaintext, sourceTag);
      release(plaintext);
      if (!isSame) {
        throw new HalfkeyError('source_changed', 'the file is not the one that was sent in part', {
          detail: { partNumber },
        });
      }
      this.#known.set(partNumber, digest);
    }
  }

  known(partNumber: number): Bytes | undefined {
    return this.#known.get(partNumber);
  }

  part(partNumber: number): Promise<ReadyPart> {
    return this.#semaphore.pass(() => this.#make(partNumber));
  }

  async #make(partNumber: number): Promise<ReadyPart> {
    const { records, source, plan, signal } = this.#deps;
    signal.throwIfAborted();
    let sourceTag = new Uint8Array();
    const bytes = await sealPart(source, this.#sealer, plan, partNumber, this.#buffers, async (plaintext) => {
      sourceTag = await this.#tagger.tag(plaintext);
    });
    const digest = await sha256(bytes);
    const body = new Blob([bytes]); // A copy.
    this.#buffers.giveBack(bytes);
    await records.savePart(this.#upload.blob, { partNumber, digest, sourceTag });
    this.#known.set(partNumber, digest);
    return { body, digest };
  }
}
