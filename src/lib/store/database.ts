import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';

/** Everything of Halfkey's in IndexedDB: one database, removed as a whole at sign-out. */
export const DATABASE = 'halfkey';
const VERSION = 1;

/** This device's own keys. WebCrypto gives the bytes of neither to anybody, IndexedDB keeps both as they are. */
export interface DeviceRecord {
  /** 128 random bits, base64url. */
  readonly id: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
  /** What seals the account's keys where they rest: a `FloeKey`. */
  readonly wrapKey: CryptoKey;
}

/** The account as it rests; keys only as FLOE ciphertexts under the device's wrap key. */
export interface StoredAccount {
  readonly account: string;
  readonly vault: string;
  readonly epoch: number;
  readonly sealedAccountKey: Bytes;
  readonly sealedVaultKey: Bytes;
  /** Ed25519, 32 bytes: the root of trust for the journal. */
  readonly identityPublicKey: Bytes;
  /** OPAQUE's static public key of the broker, base64url. */
  readonly serverPublicKey: string;
  /** The newest keyring that this device has seen: `hash` is the SHA-256 of its bytes. */
  readonly keyring: { readonly version: number; readonly hash: Bytes };
}

/** Head of the broker's event log as this device saw it last; `hash` in base64url, as the broker writes it. */
export interface StoredEventHead {
  readonly seq: number;
  readonly hash: string;
}

interface HalfkeySchema extends DBSchema {
  device: { key: string; value: DeviceRecord };
  account: { key: string; value: StoredAccount };
  events: { key: string; value: StoredEventHead };
  /** Sealed by the journal under a key from the vault key. */
  journal: { key: string; value: Bytes };
}

export type Database = IDBPDatabase<HalfkeySchema>;

/** Each of the stores above but the journal's holds one record. */
export const ONLY = 'only';

/**
 * Opens, or makes, the database.
 *
 * @param onTaken another tab removes the database (a sign-out): this connection is closed, nothing can be read or written any more
 * @throws {HalfkeyError} `browser_lacks` when the browser gives no IndexedDB (private modes of some)
 */
export async function openDatabase(onTaken: () => void): Promise<Database> {
  try {
    const database: Database = await openDB<HalfkeySchema>(DATABASE, VERSION, {
      upgrade(created) {
        for (const store of ['device', 'account', 'events', 'journal'] as const)
          created.createObjectStore(store);
      },
      blocking() {
        database.close();
        onTaken();
      },
      terminated: onTaken,
    });
    return database;
  } catch (cause) {
    throw new HalfkeyError('browser_lacks', 'IndexedDB does not open', {
      cause,
      detail: { feature: 'IndexedDB' },
    });
  }
}

/**
 * Runs a write.
 * @throws {HalfkeyError} `device_full` where the browser has no room left; `device_state_lost` after the device was wiped
 */
export async function writing<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'QuotaExceededError') {
      throw new HalfkeyError('device_full', 'the browser has no room left', { cause: error });
    }
    if (error instanceof DOMException && error.name === 'InvalidStateError') {
      throw new HalfkeyError('device_state_lost', 'the database was closed meanwhile', { cause: error });
    }
    throw error;
  }
}
