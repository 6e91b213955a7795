import type { BlobId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { uploadPartUrls } from '$contract/vault-blobs.ts';
import { Batcher, type Outcome } from '../../concurrency/batcher.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';

/** A URL lives five minutes; one that has waited for its turn so long on a slow line is asked for again. */
const PATIENCE_MS = 60_000;
/**
 * Parts whose turn has not come yet that are signed along with one whose turn it is: fewer round trips, and few URLs
 * for nothing.
 */
const AHEAD = 16;

/** What a part's URL is signed for. */
export interface SignedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  /** Base64. */
  readonly sha256: string;
}

/** Where a part goes. */
export interface PartUrl {
  readonly url: string;
  /** By `performance.now`. */
  readonly askedMs: number;
}

interface Wanted {
  readonly part: SignedPart;
  readonly next: Iterable<SignedPart>;
}

/** Whether it is better not to begin with this one any more. */
export function isStale({ askedMs }: PartUrl): boolean {
  return performance.now() - askedMs > PATIENCE_MS;
}

/**
 * URLs of the parts of one upload. A round trip serves many: what is asked for while a request is under way makes the
 * next one, and parts that are sealed already are signed before they are asked for.
 */
export class PartUrls {
  readonly #broker: Broker;
  readonly #vault: VaultId;
  readonly #upload: { readonly blob: BlobId; readonly uploadId: string };
  readonly #signal: AbortSignal;
  readonly #early = new Map<number, PartUrl>();
  readonly #batcher = new Batcher<Wanted, PartUrl>({
    limit: LIMITS.batch - AHEAD,
    serve: (batch) => this.#serve(batch),
  });

  constructor(
    { broker, vault }: { broker: Broker; vault: VaultId },
    upload: { blob: BlobId; uploadId: string },
    signal: AbortSignal,
  ) {
    this.#broker = broker;
    this.#vault = vault;
    this.#upload = upload;
    this.#signal = signal;
  }

  /**
   * Another one each time.
   * @param next parts that will be asked for later, as they are now; the nearest first
   * @throws {HalfkeyError} `upload_lost`, what is unreachable; AbortError
   */
  ask(part: SignedPart, next: Iterable<SignedPart>): Promise<PartUrl> {
    const early = this.#early.get(part.partNumber);
    this.#early.delete(part.partNumber);
    if (early && !isStale(early)) return Promise.resolve(early);
    return this.#batcher.ask({ part, next });
  }

  async #serve(batch: readonly Wanted[]): Promise<Outcome<PartUrl>[]> {
    const wanted = new Map(batch.map(({ part }) => [part.partNumber, part]));
    const most = batch.length + AHEAD;
    for (const part of batch.at(-1)?.next ?? []) {
      if (wanted.size >= most) break;
      if (!this.#early.has(part.partNumber)) wanted.set(part.partNumber, part);
    }
    const askedMs = performance.now();
    const request = { ...this.#upload, parts: [...wanted.values()] };
    const options = { vault: this.#vault, signal: this.#signal };
    const { urls } = await this.#broker.call(uploadPartUrls, request, options);
    for (const { partNumber, url } of urls) this.#early.set(partNumber, { url, askedMs });
    return batch.map(({ part: { partNumber } }) => {
      const url = this.#early.get(partNumber);
      this.#early.delete(partNumber);
      if (url) return { kind: 'done', result: url };
      return {
        kind: 'failed',
        error: new HalfkeyError('broker_unreachable', 'the broker signed no URL for a part'),
      };
    });
  }
}
