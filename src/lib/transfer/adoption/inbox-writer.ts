import { inboxWrite } from '$contract/vault-inbox.ts';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { toB64Url, type Bytes } from '../../bytes.ts';
import { Batcher, type Outcome } from '../../concurrency/batcher.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import type { Connection } from '../connection.ts';

interface Write {
  readonly vault: VaultId;
  readonly blob: BlobId;
  /** Base64url. */
  readonly record: string;
}

/** Puts records into the inbox; what comes while a request is under way makes the next one. */
export class InboxWriter {
  readonly #broker: Broker;
  readonly #connection: Connection;
  readonly #batcher = new Batcher<Write, void>({
    limit: LIMITS.batch,
    goesWith: (first, { vault }) => vault === first.vault,
    serve: (batch) => this.#serve(batch),
  });

  constructor(broker: Broker, connection: Connection) {
    this.#broker = broker;
    this.#connection = connection;
  }

  /**
   * Resolves when the inbox has it.
   * @throws {HalfkeyError} `already_exists` when it has another record of this blob; `upload_lost` when S3 does not hold the blob
   */
  write(vault: VaultId, blob: BlobId, record: Bytes): Promise<void> {
    return this.#batcher.ask({ vault, blob, record: toB64Url(record) });
  }

  async #serve(batch: readonly Write[]): Promise<Outcome<void>[]> {
    const [first] = batch;
    if (!first) return [];
    const records = batch.map(({ blob, record }) => ({ blob, record }));
    try {
      await this.#connection.attempt(
        () => this.#broker.call(inboxWrite, { records }, { vault: first.vault }),
        new AbortController().signal,
      );
      return batch.map(() => ({ kind: 'done', result: undefined }));
    } catch (error) {
      // Of two things that can be wrong the broker says one: who is not named is asked about once more.
      const places = placesAtFault(error);
      const named = batch.map((_, index) => places?.has(index) ?? true);
      const isUnsaid = (isNamed: boolean) => !isNamed && named.includes(true);
      return named.map((isNamed) => (isUnsaid(isNamed) ? { kind: 'again' } : { kind: 'failed', error }));
    }
  }
}

/**
 * Places (0-based) of a batch that the broker names as being at fault.
 * @returns undefined when it names none
 */
export function placesAtFault(error: unknown): ReadonlySet<number> | undefined {
  if (!(error instanceof HalfkeyError) || !error.detail.fields) return undefined;
  return new Set(error.detail.fields.map((field) => Number(/\d+$/.exec(field)?.[0] ?? Number.NaN)));
}
