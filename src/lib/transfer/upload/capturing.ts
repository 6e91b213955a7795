import { concat, type Bytes } from '../../bytes.ts';
import { sealAad } from '../../crypto/aad.ts';
import { sha256 } from '../../crypto/digest.ts';
import { createSealer } from '../../crypto/floe.ts';
import { HalfkeyError } from '../../errors.ts';
import type { SealedUpload } from '../../store/database.ts';
import type { PartFiles } from '../../store/part-files.ts';
import { inLanes } from '../../concurrency/lanes.ts';
import { PartBuffers } from '../memory.ts';
import { largestPartBytes, partSizeBytes, type BlobPlan } from '../plan.ts';
import { sealPart } from './sealing.ts';
import type { PartSupply, ReadyPart } from './part-supply.ts';

/**
 * Parts that are read and sealed at a time: each costs its plaintext and ciphertext in memory, and machines with two
 * cores are common.
 */
const SEALING = 2;

const DIGEST_BYTES = 32;

/**
 * A file on its way into this device's files, part by part; anyone who sends it can have each part as soon as it is on
 * the disk. It must not be called captured before `seal` resolves.
 */
export class Capture implements PartSupply {
  readonly isRepeatable = true;
  readonly #files: PartFiles;
  readonly #blob: string;
  readonly #made = new Map<number, { readonly digest: Bytes; readonly sizeBytes: number }>();
  readonly #awaited = new Map<number, { resolve: () => void; reject: (error: unknown) => void }[]>();
  #failure: { readonly error: Error } | undefined;

  constructor(files: PartFiles, blob: string) {
    this.#files = files;
    this.#blob = blob;
  }

  /**
   * @param contentKey 32 bytes; not needed any more when it resolves
   * @returns the parts' SHA-256s in their order, 32 bytes each
   * @throws {HalfkeyError} `source_changed`, `device_full`; AbortError. What was written is the caller's to remove
   */
  async seal(
    source: Blob,
    plan: BlobPlan,
    { vault, epoch, contentKey }: { vault: string; epoch: number; contentKey: Bytes },
    signal: AbortSignal,
  ): Promise<Bytes> {
    try {
      const sealer = await createSealer(contentKey, sealAad('content', vault, this.#blob, epoch));
      const buffers = new PartBuffers(largestPartBytes(plan));
      const partNumbers = Array.from({ length: plan.partCount }, (_, index) => index + 1);
      await inLanes(partNumbers, SEALING, signal, async (partNumber) => {
        const bytes = await sealPart(source, sealer, plan, partNumber, buffers);
        const [digest] = await Promise.all([sha256(bytes), this.#files.write(this.#blob, partNumber, bytes)]);
        const { length: sizeBytes } = bytes;
        buffers.giveBack(bytes);
        this.#isThere(partNumber, { digest, sizeBytes });
      });
      return concat(...partNumbers.map((partNumber) => this.known(partNumber) ?? new Uint8Array()));
    } catch (error) {
      this.#failure = { error: error as Error };
      for (const waiting of this.#awaited.values()) for (const { reject } of waiting) reject(error);
      this.#awaited.clear();
      throw error;
    }
  }

  known(partNumber: number): Bytes | undefined {
    return this.#made.get(partNumber)?.digest;
  }

  async part(partNumber: number): Promise<ReadyPart> {
    if (!this.#made.has(partNumber)) await this.#until(partNumber);
    return readPart(this.#files, this.#blob, partNumber, this.#made.get(partNumber));
  }

  #until(partNumber: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure) reject(this.#failure.error);
      else this.#awaited.set(partNumber, [...(this.#awaited.get(partNumber) ?? []), { resolve, reject }]);
    });
  }

  #isThere(partNumber: number, made: { readonly digest: Bytes; readonly sizeBytes: number }): void {
    this.#made.set(partNumber, made);
    for (const { resolve } of this.#awaited.get(partNumber) ?? []) resolve();
    this.#awaited.delete(partNumber);
  }
}

/** The parts of an upload that is sealed: all of them are stored on this device. */
export function sealedParts(files: PartFiles, upload: SealedUpload): PartSupply {
  const { blob, partDigests } = upload;
  const known = (partNumber: number) =>
    partDigests.slice((partNumber - 1) * DIGEST_BYTES, partNumber * DIGEST_BYTES);
  return {
    isRepeatable: true,
    known,
    part: (partNumber) => {
      const digest = known(partNumber);
      const sizeBytes = partSizeBytes(upload, partNumber);
      return readPart(files, blob, partNumber, { digest, sizeBytes });
    },
  };
}

/** @param partDigests 32 bytes each */
export function splitDigests(partDigests: Bytes): Bytes[] {
  return Array.from({ length: partDigests.length / DIGEST_BYTES }, (_, index) =>
    partDigests.slice(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES),
  );
}

async function readPart(
  files: PartFiles,
  blob: string,
  partNumber: number,
  made: { readonly digest: Bytes; readonly sizeBytes: number } | undefined,
): Promise<ReadyPart> {
  const body = await files.read(blob, partNumber);
  // The browser may evict what is stored with it: then the upload is lost here, and says so. A file that is gone may
  // have the size 0.
  if (!made || body?.size !== made.sizeBytes) {
    throw new HalfkeyError(
      'device_state_lost',
      'the ciphertext of an upload is not on this device any more',
      {
        detail: { partNumber },
      },
    );
  }
  return { body, digest: made.digest };
}
