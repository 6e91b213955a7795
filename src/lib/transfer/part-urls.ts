import type { BlobId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { uploadPartUrls } from '$contract/vault.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';

/** What a part's URL is signed for. */
export interface SignedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  /** Base64. */
  readonly sha256: string;
}

interface Waiting {
  readonly part: SignedPart;
  readonly resolve: (url: string) => void;
  readonly reject: (error: unknown) => void;
}

/** URLs of the parts of one upload. What is asked for while a request is under way makes the next one: a round trip serves many. */
export class PartUrls {
  readonly #broker: Broker;
  readonly #vault: VaultId;
  readonly #upload: { readonly blob: BlobId; readonly uploadId: string };
  readonly #signal: AbortSignal;
  #waiting: Waiting[] = [];
  #busy = false;

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

  /** A fresh one each time. @throws {HalfkeyError} `upload_lost`, what is unreachable; AbortError */
  ask(part: SignedPart): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ part, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LIMITS.batch);
      try {
        const request = { ...this.#upload, parts: batch.map(({ part }) => part) };
        const { urls } = await this.#broker.call(uploadPartUrls, request, {
          vault: this.#vault,
          signal: this.#signal,
        });
        const byNumber = new Map(urls.map(({ partNumber, url }) => [partNumber, url]));
        for (const { part, resolve, reject } of batch) {
          const url = byNumber.get(part.partNumber);
          if (url !== undefined) resolve(url);
          else reject(new HalfkeyError('broker_unreachable', 'the broker signed no URL for a part'));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }
}
