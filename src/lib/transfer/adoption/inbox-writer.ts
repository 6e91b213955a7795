import { inboxWrite } from '$contract/inbox.ts';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { toB64Url, type Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import type { Connection } from '../connection.ts';

interface Waiting {
  readonly vault: VaultId;
  readonly blob: BlobId;
  readonly record: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Puts records into the inbox; what comes while a request is under way makes the next one. */
export class InboxWriter {
  readonly #broker: Broker;
  readonly #connection: Connection;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(broker: Broker, connection: Connection) {
    this.#broker = broker;
    this.#connection = connection;
  }

  /**
   * Resolves when the inbox has it.
   * @throws {HalfkeyError} `already_exists` when it has another record of this blob; `upload_lost` when S3 does not hold the blob
   */
  write(vault: string, blob: string, record: Bytes): Promise<void> {
    return new Promise((resolve, reject) => {
      const named = { vault: vault as VaultId, blob: blob as BlobId, record: toB64Url(record) };
      this.#waiting.push({ ...named, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    await Promise.resolve(); // What comes in the same turn goes together.
    for (;;) {
      const [first] = this.#waiting;
      if (!first) break;
      const batch = this.#waiting.filter(({ vault }) => vault === first.vault).slice(0, LIMITS.batch);
      this.#waiting = this.#waiting.filter((each) => !batch.includes(each));
      await this.#writeBatch(first.vault, batch);
    }
    this.#busy = false;
  }

  async #writeBatch(vault: VaultId, batch: readonly Waiting[]): Promise<void> {
    const records = batch.map(({ blob, record }) => ({ blob, record }));
    try {
      await this.#connection.attempt(
        () => this.#broker.call(inboxWrite, { records }, { vault }),
        new AbortController().signal,
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const places = placesAtFault(error);
      // Of two things that can be wrong the broker says one: who is not named is asked about once more.
      const isNamed = (_: unknown, index: number) => places?.has(index) ?? true;
      const named = batch.filter(isNamed);
      for (const { reject } of named.length > 0 ? named : batch) reject(error);
      if (named.length > 0) this.#waiting.unshift(...batch.filter((each) => !named.includes(each)));
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
