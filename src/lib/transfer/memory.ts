import type { Bytes } from '../bytes.ts';

/** How much more garbage is reported than there is: with 4, Chromium collects every other part. */
const WEIGHT = 4;
/** Reports that are held on to: what dies young would be collected alone. */
const HELD = 4;

const reports: ArrayBuffer[] = [];

/**
 * Tells the garbage collector that so many bytes can go. Blobs, and requests that carried one, are outside the heap,
 * and Chromium counts them as nothing: without this, gigabytes of them wait for a collection that nothing calls for.
 * What tells it is a buffer that is never touched: the platform counts it, and gives it no memory.
 */
export function reportGarbage(sizeBytes: number): void {
  reports.push(new ArrayBuffer(WEIGHT * sizeBytes));
  if (reports.length > HELD) reports.shift();
}

/** Buffers for the parts of one transfer, used again and again: fresh memory costs more than what is done in it. */
export class PartBuffers {
  readonly #capacityBytes: number;
  readonly #idle: ArrayBuffer[] = [];

  /** @param capacityBytes of the largest part */
  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** Holds whatever it held before. @param sizeBytes up to the capacity */
  take(sizeBytes: number): Bytes {
    return new Uint8Array(this.#idle.pop() ?? new ArrayBuffer(this.#capacityBytes), 0, sizeBytes);
  }

  /** The bytes must not be looked at any more. */
  giveBack({ buffer }: Bytes): void {
    this.#idle.push(buffer);
  }
}
