/** Bytes of one of the broker's own objects, with the condition under which to replace them. */
export interface StoredState {
  readonly bytes: Uint8Array;
  /** S3's ETag, quoted as it came. Equal bytes have equal ETags: the content must carry a counter. */
  readonly etag: string;
}

/**
 * The broker's own objects in the bucket, changed by conditional writes only, so that any number of brokers may run.
 * Every method throws BrokerProblem `store_unreachable` when S3 gives no answer: nothing is assumed then.
 */
export interface StateStore {
  read(key: string): Promise<StoredState | undefined>;
  /** `If-None-Match: *`. A lost reply is settled by reading back: own bytes are `created`. */
  create(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** `If-Match`. A lost reply is settled by reading back. */
  replace(key: string, bytes: Uint8Array, etag: string): Promise<'replaced' | 'changed'>;
  /** Deletes every version of one key. */
  erase(key: string): Promise<void>;
  /** Deletes every version of one key but the newest. */
  eraseHistory(key: string): Promise<void>;
}
