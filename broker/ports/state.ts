/** Bytes of one of the broker's own objects, with the condition under which to replace them. */
export interface StoredState {
  readonly bytes: Uint8Array;
  /** S3's ETag, quoted as it came. Equal bytes have equal ETags: the content must carry a counter. */
  readonly etag: string;
}

/** One version of one object. */
export interface StateVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  /** By S3's clock, in ms since 1970. */
  readonly modifiedMs: number;
}

/** Where a listing goes on. */
export interface StateCursor {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** What the sweeper needs: versions by prefix, and to remove exactly those that it has seen. */
export interface StateVersions {
  /** Up to 1,000 versions below a prefix, by key and then newest first; `next` is undefined at the end. */
  list(
    prefix: string,
    from: StateCursor | undefined,
  ): Promise<{ versions: StateVersion[]; next: StateCursor | undefined }>;
  /** A version written meanwhile stays; one that is gone already is not a fault. At most 1,000. */
  erase(versions: readonly StateVersion[]): Promise<void>;
}

/**
 * The broker's own objects in the bucket, changed by conditional writes only, so that any number of brokers may run.
 * Every method throws BrokerProblem `store_unreachable` when S3 gives no answer: nothing is assumed then.
 */
export interface StateStore {
  read(key: string): Promise<StoredState | undefined>;
  /**
   * `If-None-Match: *`. A lost reply is settled by reading back: own bytes are `created`.
   * @param told when it is `created`, of the ETag that it has now
   */
  create(key: string, bytes: Uint8Array, told?: (etag: string) => void): Promise<'created' | 'exists'>;
  /**
   * `If-Match`. A lost reply is settled by reading back.
   * @param told when it is `replaced`, of the ETag that it has now
   */
  replace(
    key: string,
    bytes: Uint8Array,
    etag: string,
    told?: (etag: string) => void,
  ): Promise<'replaced' | 'changed'>;
  /** Deletes every version of one key. */
  erase(key: string): Promise<void>;
  /** Deletes every version of one key but the newest. */
  eraseHistory(key: string): Promise<void>;
}
