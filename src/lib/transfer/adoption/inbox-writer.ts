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
   * @throws {HalfkeyError} `already_exists` when it has another record of this blob; `upload_lost` when S3 does not
   *   hold the blob; `inbox_full`, and `input_malformed` for a record that this device has signed with keys that it has
   *   no more: it waits for a code
   */
  write(vault: VaultId, blob: BlobId, record: Bytes): Promise<void> {
    return this.#batcher.ask({ vault, blob, record: toB64Url(record) });
  }

  async #serve(batch: readonly Write[]): Promise<Outcome<void>[]> {
    const [first] = batch;
    if (!first) return [];
    const records = batch.map(({ blob, record }) => ({ blob, record }));
    const { refused } = await this.#connection.attempt(
      () => this.#broker.call(inboxWrite, { records }, { vault: first.vault }),
      new AbortController().signal,
    );
    const codes = new Map(refused.map(({ blob, code }) => [blob, code]));
    return batch.map(({ blob }) => {
      const code = codes.get(blob);
      if (code === undefined) return { kind: 'done', result: undefined };
      return {
        kind: 'failed',
        error: new HalfkeyError(code, 'the inbox does not take the record of a blob'),
      };
    });
  }
}
