import { equalBytes, fromB64Url, fromUtf8, toB64Url, utf8, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { open, seal } from '../crypto/floe.ts';
import { deriveKey } from '../crypto/hkdf.ts';
import { HalfkeyError } from '../errors.ts';
import type { InboxKey } from '../journal/entries/operations.ts';

/** Where they are stored, sealed: one record. */
export interface OwnInboxKeysStore {
  load(): Promise<Bytes | undefined>;
  save(sealed: Bytes): Promise<void>;
}

/** Whose they are, and what they are sealed under. */
export interface OwnInboxKeysOwner {
  readonly vault: string;
  /** Of the vault key. */
  readonly epoch: number;
  /** 32 bytes. */
  readonly vaultKey: Bytes;
  /** Id of this device: what it made under another id was a device's that may have been revoked. */
  readonly device: string;
}

const RECORD_ID = 'inbox-keys';
/** One a day, and those that are older than a device needs are retired. */
const KEPT = 32;

interface StoredKey {
  readonly device: string;
  readonly blob: string;
  readonly publicKey: string;
  readonly epoch: number;
}

/**
 * Which inbox key pairs this device has made itself, under a grant. What another device publishes may be a thief's, who
 * could read all that is sealed to it; the journal says who signed it, and not who holds its private half.
 */
export class OwnInboxKeys {
  readonly #owner: OwnInboxKeysOwner;
  readonly #store: OwnInboxKeysStore;

  constructor(owner: OwnInboxKeysOwner, store: OwnInboxKeysStore) {
    this.#owner = owner;
    this.#store = store;
  }

  /**
   * @returns whether a key that the journal names is one of them. Asked of a list, so that a renewal meanwhile is seen
   * as a whole
   */
  async includes(): Promise<(key: InboxKey) => boolean> {
    const own = await this.#read();
    return ({ blob, epoch, publicKey }) =>
      own.some(
        (each) =>
          each.device === this.#owner.device &&
          each.blob === blob &&
          each.epoch === epoch &&
          equalBytes(fromB64Url(each.publicKey), publicKey),
      );
  }

  /** To be called before the journal names it. @throws {HalfkeyError} `device_full`, `device_state_lost` */
  async add({ blob, publicKey, epoch }: InboxKey): Promise<void> {
    const { device } = this.#owner;
    const own = [...(await this.#read()), { device, blob, publicKey: toB64Url(publicKey), epoch }];
    const { vault, epoch: keyEpoch } = this.#owner;
    const aad = sealAad('cache', vault, RECORD_ID, keyEpoch);
    await this.#store.save(await seal(await this.#key(), aad, utf8(JSON.stringify(own.slice(-KEPT)))));
  }

  /** What does not open was of another vault key, or is damaged: then this device has made none. */
  async #read(): Promise<StoredKey[]> {
    const sealed = await this.#store.load();
    if (!sealed) return [];
    const { vault, epoch } = this.#owner;
    try {
      const opened = await open(await this.#key(), sealAad('cache', vault, RECORD_ID, epoch), sealed);
      return JSON.parse(fromUtf8(opened)) as StoredKey[];
    } catch (error) {
      if (error instanceof HalfkeyError) return [];
      throw error;
    }
  }

  #key(): Promise<Bytes> {
    return deriveKey(this.#owner.vaultKey, 'cache', this.#owner.vault);
  }
}
