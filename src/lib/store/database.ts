import type { BlobId, VaultId } from '$contract/ids.ts';
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Bytes } from '../bytes.ts';
import type { WrappedAgreementKey } from '../crypto/device-agreement.ts';
import type { Stretching } from '../crypto/stretching.ts';
import { HalfkeyError } from '../errors.ts';

/** Everything of Halfkey's in IndexedDB: one database, removed as a whole at sign-out. */
export const DATABASE = 'halfkey';
const VERSION = 3;

/** This device's own keys. WebCrypto gives the bytes of none to anybody, IndexedDB keeps them as they are. */
export interface DeviceRecord {
  /** 128 random bits, base64url. */
  readonly id: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
  /** X25519, 32 bytes: what is sealed to this device alone, is sealed to it. */
  readonly agreementKey: Bytes;
  /** Wrapped where the browser cannot keep such a key. */
  readonly agreementPrivateKey: CryptoKey | WrappedAgreementKey;
  /** What seals the account's keys in the database: a `FloeKey`. */
  readonly wrapKey: CryptoKey;
}

/** The key that the session is bound to, and the broker's id of it. */
export interface StoredSessionKey {
  readonly sid: string;
  readonly publicKey: CryptoKey;
  /** Ed25519, not extractable; apart from the device's own, and renewed with each session. */
  readonly privateKey: CryptoKey;
}

/**
 * The account as it is stored, docs/FORMAT.md §17.1; keys and user name only as one FLOE ciphertext, which binds all
 * the rest.
 */
export interface StoredAccount {
  readonly account: string;
  readonly vault: string;
  readonly epoch: number;
  /** Under the device's wrap key; with `stretching`, around a second one under what the passphrase gives. */
  readonly sealedSecrets: Bytes;
  /** Present where the passphrase is asked for at each start. */
  readonly stretching?: Stretching;
  /** Ed25519, 32 bytes: the root of trust for the journal. */
  readonly identityPublicKey: Bytes;
  /** OPAQUE's static public key of the broker, base64url. */
  readonly serverPublicKey: string;
  /** The newest keyring that this device has seen: `hash` is the SHA-256 of its bytes. */
  readonly keyring: { readonly version: number; readonly hash: Bytes };
}

/** Wrong passphrases at the start, in a row. */
export interface StoredAttempts {
  readonly wrong: number;
  /** By this device's clock. */
  readonly lastMs: number;
}

/** Head of the broker's event log as this device saw it last; `hash` in base64url, as the broker writes it. */
export interface StoredEventHead {
  readonly seq: number;
  readonly hash: string;
}

/** What is said of every upload that is stored on this device: no key, no name, no presigned URL. Sizes in bytes. */
interface UploadAtRest {
  readonly blob: BlobId;
  readonly vault: VaultId;
  /** Of the vault key. */
  readonly epoch: number;
  /** Of the inbox key that draft or record is sealed to. */
  readonly inboxEpoch: number;
  readonly capturedAtMs: number;
  /** What the list shows of it: sealed under a key from the vault key. */
  readonly sealedLabel: Bytes;
  readonly sealedBytes: number;
  readonly partBytes: number;
  readonly partCount: number;
  /** Of S3's multipart upload, once there is one. */
  readonly uploadId?: string;
  /**
   * The folder that it is for was made on this device, and may not be in the journal yet: before it is, nobody else is
   * told of the upload.
   */
  readonly awaitsFolder?: true;
  /** Nobody sends it before somebody has said so. */
  readonly isPaused?: true;
}

/** Where the parts of an upload come from. */
type PartOrigin =
  | { /** Its parts lie in OPFS. */ readonly mode: 'device' }
  | {
      /** There was no room for them: they are made from the file as they go up. */
      readonly mode: 'streamed';
      /** Content key and metadata, sealed to the inbox key. */
      readonly draft: Bytes;
      /** What the ciphertext begins with, 74 bytes. To go on with it takes the same. */
      readonly header: Bytes;
    };

/** Ids and key are chosen; its ciphertext is being made. */
export type CapturingUpload = UploadAtRest & PartOrigin & { readonly state: 'capturing' };

/**
 * All of its ciphertext has been made, and what the inbox will be told. Each state is written before it is acted on.
 */
export type SealedUpload = UploadAtRest &
  PartOrigin & {
    /**
     * `uploaded`: S3 holds the blob whole. `saved`: its record is in the inbox, and nothing of it has to stay here
     * any more.
     */
    readonly state: 'sealed' | 'uploading' | 'uploaded' | 'saved';
    /** SHA-256 of each part, 32 bytes each, in their order. */
    readonly partDigests: Bytes;
    /** What goes into the inbox, sealed to the inbox key and signed by this device. */
    readonly inboxRecord: Bytes;
  };

/** One whose parts are made from its file as they go up. */
export type StreamedUpload = Extract<StoredUpload, { mode: 'streamed' }>;

/** An upload as it is stored on this device; what may become of it is told by `TRANSITIONS` in upload-records.ts. */
export type StoredUpload = CapturingUpload | SealedUpload;

/** A part of a streamed upload that was sent, or was about to be: 32 bytes each. */
export interface StoredPart {
  readonly partNumber: number;
  /** SHA-256 of the ciphertext. */
  readonly digest: Bytes;
  /** Tells the same plaintext again: HMAC-SHA-256 under a key from the content key. */
  readonly sourceTag: Bytes;
}

/** A version whose ciphertext stays on this device. Sizes in bytes. */
export interface StoredKept {
  readonly blob: string;
  readonly file: string;
  readonly sealedBytes: number;
  /** Whether all of it is here, and was found to be what the journal pins. */
  readonly isWhole: boolean;
}

/** How this device goes about transfers; nothing of it is secret. */
export interface StoredTransferSettings {
  readonly parallel: number;
  readonly wifiOnly: boolean;
}

/** What of a kit was shown here, as long as nobody has said that it is kept. */
export interface StoredKitNote {
  readonly unkept: readonly ('words' | 'backup-codes')[];
}

/** Whether single letters do something here; nothing of it is secret. */
export interface StoredLetterKeys {
  readonly isOn: boolean;
}

export interface HalfkeySchema extends DBSchema {
  device: { key: string; value: DeviceRecord };
  session: { key: string; value: StoredSessionKey };
  account: { key: string; value: StoredAccount };
  events: { key: string; value: StoredEventHead };
  /** Sealed by the journal under a key from the vault key. */
  journal: { key: string; value: Bytes };
  attempts: { key: string; value: StoredAttempts };
  /** What was changed here and is not in the journal yet, in order; each sealed under a key from the vault key. */
  changes: { key: number; value: Bytes };
  /** By blob. */
  uploads: { key: string; value: StoredUpload };
  /** Of streamed uploads, by blob and part number. */
  parts: { key: [blob: string, partNumber: number]; value: StoredPart };
  /** By blob. */
  kept: { key: string; value: StoredKept };
  settings: { key: string; value: StoredTransferSettings | StoredKitNote | StoredLetterKeys };
}

export type Database = IDBPDatabase<HalfkeySchema>;

/** Key of the one record in each of the stores of version 1, and of `attempts`. */
export const ONLY = 'only';

/**
 * Opens, or makes, the database.
 *
 * @param onTaken another tab removes the database (a sign-out): this connection is closed, nothing can be read or
 *   written any more
 * @throws {HalfkeyError} `browser_lacks` when the browser gives no IndexedDB (private modes of some)
 */
export async function openDatabase(onTaken: () => void): Promise<Database> {
  try {
    const database: Database = await openDB<HalfkeySchema>(DATABASE, VERSION, {
      upgrade(upgraded, from) {
        if (from < 1) {
          for (const store of ['device', 'account', 'events', 'journal'] as const)
            upgraded.createObjectStore(store);
        }
        if (from < 2) {
          for (const store of ['uploads', 'parts', 'kept', 'settings', 'attempts'] as const)
            upgraded.createObjectStore(store);
          upgraded.createObjectStore('changes', { autoIncrement: true });
        }
        if (from < 3) upgraded.createObjectStore('session');
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

/** Whether there is one already: where there is none no account is on this device, and opening it would make one. */
export async function hasDatabase(): Promise<boolean> {
  return (await indexedDB.databases()).some(({ name }) => name === DATABASE);
}

/**
 * Runs a write.
 * @throws {HalfkeyError} `device_full` where the browser has no room left; `device_state_lost` after the device was
 *   wiped
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
