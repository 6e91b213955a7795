import type { BlobId, GrantId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { blobPutUrls } from '$contract/vault-blobs.ts';
import { Batcher, type Outcome } from '../../concurrency/batcher.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';

interface Wanted {
  readonly vault: VaultId;
  readonly blob: BlobId;
  readonly sizeBytes: number;
  /** Base64. */
  readonly sha256: string;
}

/** What one of a batch is refused for may be no matter of the others: there is room for so much, and not for more. */
const PERHAPS_OF_ONE = new Set(['store_full', 'grant_missing']);

/** URLs for blobs that go up in one PUT: what is asked for while a request is under way makes the next one. */
export class PutUrls {
  readonly #broker: Broker;
  readonly #grant: () => { readonly grant?: GrantId };
  readonly #batcher: Batcher<Wanted, string>;

  /**
   * @param grant the live one, which lets a device have more on its way; empty without one
   * @param isMoreComing whether more will be asked for in a moment
   */
  constructor(broker: Broker, grant: () => { readonly grant?: GrantId }, isMoreComing?: () => boolean) {
    this.#broker = broker;
    this.#grant = grant;
    this.#batcher = new Batcher({
      limit: LIMITS.batch,
      isMoreComing,
      goesWith: (first, { vault }) => vault === first.vault,
      serve: (batch) => this.#serve(batch),
    });
  }

  /**
   * @throws {HalfkeyError} `store_full`; `grant_missing` where so much of this device is on its way that more wants a
   * code
   */
  async ask(wanted: Wanted, signal: AbortSignal): Promise<string> {
    const url = await this.#batcher.ask(wanted);
    signal.throwIfAborted();
    return url;
  }

  async #serve(batch: readonly Wanted[]): Promise<Outcome<string>[]> {
    try {
      return await this.#askAll(batch);
    } catch (error) {
      const isOfOne = error instanceof HalfkeyError && PERHAPS_OF_ONE.has(error.code);
      if (!isOfOne || batch.length === 1) throw error;
      const alone: Outcome<string>[] = [];
      for (const one of batch) alone.push(await this.#askAlone(one));
      return alone;
    }
  }

  async #askAlone(wanted: Wanted): Promise<Outcome<string>> {
    try {
      const [outcome] = await this.#askAll([wanted]);
      return outcome ?? { kind: 'again' };
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  /** Cancelling one must not take the others along: the batch has no signal. */
  async #askAll(batch: readonly Wanted[]): Promise<Outcome<string>[]> {
    const [first] = batch;
    const blobs = batch.map(({ blob, sizeBytes, sha256 }) => ({ blob, sizeBytes, sha256 }));
    const about = first ? { vault: first.vault } : {};
    const { urls } = await this.#broker.call(blobPutUrls, { blobs, ...this.#grant() }, about);
    const signed = new Map<string, string>(urls.map(({ blob, url }) => [blob, url]));
    return batch.map(({ blob }) => {
      const url = signed.get(blob);
      if (url !== undefined) return { kind: 'done', result: url };
      return {
        kind: 'failed',
        error: new HalfkeyError('broker_unreachable', 'the broker signed no URL for a blob'),
      };
    });
  }
}
