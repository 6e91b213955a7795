import type { ErrorCode, ErrorDetail } from '../errors.ts';

// What page and crypto worker say to each other. Commands go in, each is answered once; reports come out at any time.
// No key ever crosses this border; what must be shown once (the authenticator's secret, the recovery words, the backup
// codes) does, and is not kept on either side.

/** What stands for the second factor. `code`: six digits; `backupCode`: 16 characters of base32, dashes allowed. */
export type Factor = { readonly code: string } | { readonly backupCode: string };

/** A sheet of what is shown once at sign-up. */
export type KitPart = 'words' | 'backup-codes';

/** Where this device stands. `starting` until the worker has looked into its store. */
export type Phase =
  | { readonly phase: 'starting' }
  | { readonly phase: 'signed-out' }
  /** Signed in, but the passphrase is asked for at each start, and after each lock: names are closed too until it was typed. */
  | { readonly phase: 'closed' }
  | { readonly phase: 'locked' }
  /** `expiresAtMs` in this device's clock. */
  | { readonly phase: 'open'; readonly expiresAtMs: number; readonly releases: number };

/** One line of the list. */
export interface FileRow {
  /** The file's id in the journal, the same through all of its versions. */
  readonly file: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** When the newest version was added, ms since 1970. */
  readonly addedAtMs: number;
  /** Whether its ciphertext stays on this device: `keeping` while it is being fetched. */
  readonly kept: 'no' | 'keeping' | 'kept';
  /** Whether something about it was changed here and is not in the journal yet. */
  readonly isPending: boolean;
}

/** How this device goes about transfers. */
export interface TransferSettings {
  /** Parts under way at a time, 1 to 6. */
  readonly parallel: number;
  /** Uploads wait while the browser says that the line is metered or cellular; browsers that cannot tell never wait. */
  readonly wifiOnly: boolean;
}

/** What this device holds. Sizes in bytes. */
export interface StorageReport {
  /** Of everything of this origin, by the browser's guess; undefined when it does not say. */
  readonly usedBytes?: number;
  readonly quotaBytes?: number;
  /** Whether the browser promised not to evict it. */
  readonly isPersistent: boolean;
  /** Captured and not yet saved in S3: what an eviction would lose. */
  readonly waiting: { readonly count: number; readonly sizeBytes: number };
  /** Kept on this device; safe in S3 too. */
  readonly kept: { readonly count: number; readonly sizeBytes: number };
  /** Files with a new name that is not in the journal yet: an eviction would lose the name. */
  readonly pendingNames: number;
}

/** What of the drive is looked at. The worker filters and sorts, so that 100,000 rows never cross the border. */
export interface ViewQuery {
  /** Substring of the name, compared without case and accents' encoding; empty for all. */
  readonly filter: string;
  readonly sortBy: 'name' | 'size' | 'added';
  readonly descending: boolean;
}

export type TransferPhase =
  | 'waiting' // for a place among those under way
  | 'waiting-for-network' // sealed on this device: goes up by itself once the network is back (or is no longer metered)
  | 'waiting-for-file' // was not taken in whole: the same file has to be picked again
  | 'waiting-for-code' // saved in the inbox (or up, and the code opens the draft): wants a grant to go on
  | 'encrypting' // sealing and sending go on together
  | 'uploading' // all is sealed, the last parts are on their way
  | 'verifying'
  | 'downloading'
  | 'done'
  | 'cancelled'
  | 'failed';

/** State of one transfer; each ends in exactly one of `done`, `cancelled`, `failed`. */
export interface TransferReport {
  readonly transfer: string;
  readonly direction: 'up' | 'down';
  readonly name: string;
  readonly phase: TransferPhase;
  /** Of what goes over the line: going up, ciphertext. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Of the file itself, as people know it. */
  readonly sizeBytes: number;
  /** Mean over the last five seconds; undefined before there is one. */
  readonly bytesPerSecond?: number;
  /** After three seconds, rounded. */
  readonly secondsLeft?: number;
  readonly error?: Failure;
  readonly canRetry: boolean;
  /** Whether the tab may be closed without losing it: its ciphertext rests on this device, or in S3. */
  readonly isSafe: boolean;
}

/** An error on its way over the border: subclasses do not survive it, the code does. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;
}

/** A plaintext (or FLOE) stream for the service worker: pull by any message on `port`, see download-stream.ts. */
export interface DownloadStream {
  readonly port: MessagePort;
  readonly transfer: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** What can be looked at in place. */
export type Preview =
  | { readonly kind: 'image'; readonly blob: Blob }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none' };

/** `plain`: the file; `sealed`: the FLOE ciphertext as it lies in S3, which needs no code. */
export type DownloadForm = 'plain' | 'sealed';

/**
 * What becomes of a head phrase that somebody typed. `seen`: it is of this device's history. `other`: this device's history has
 * another segment at that place: mistyped, or there are two histories. `beyond`: it is newer than all that the broker shows.
 */
export type HeadVerdict = 'seen' | 'other' | 'beyond';

/**
 * A change that was made here and given up: its file was deleted meanwhile (`not_found`), or renamed by another device first
 * (`head_changed`); or it does not open any more (`device_state_lost`).
 */
export interface DroppedChange {
  /** Its own on this device. */
  readonly key: number;
  /** The one that was wanted; empty with `device_state_lost`. */
  readonly name: string;
  readonly code: 'not_found' | 'head_changed' | 'device_state_lost';
}

/** When another authenticator was asked for, and from when on it can be paired; ms since 1970, by the broker's clock. */
export interface Reenrolment {
  readonly askedAtMs: number;
  readonly dueAtMs: number;
}

/** Another device of the owner's. */
export interface OtherDevice {
  readonly device: string;
  /** What it called itself. */
  readonly name: string;
  /** By its own clock, ms since 1970; missing before it has spoken for the first time. */
  readonly lastHeardMs?: number;
}

type NoArguments = Record<string, never>;

/** Every command with what it takes and what it answers. */
export interface Commands {
  /** First of all: restores what rests on the device. Lists what the browser lacks by failing with `browser_lacks`. */
  boot: { args: NoArguments; result: Phase };
  'sign-up/start': {
    args: { userName: string; passphrase: string };
    result: { totpSecret: string; otpauthUri: string };
  };
  /** The first code. Account, keyring and vault exist when this is answered; phase `open` follows. */
  'sign-up/verify': {
    args: { code: string };
    /** `headPhrase`: the journal's head for the kit to print, FORMAT.md §11.6. */
    result: { recoveryWords: string[]; backupCodes: string[]; headPhrase: string };
  };
  /** 0 (refused) to 4; `bits` is the guessed entropy. The rule that sign-up and recovery apply: below 2 is `passphrase_weak`. */
  'passphrase/judge': { args: { passphrase: string; userName: string }; result: { score: number } };
  'passphrase/generate': { args: NoArguments; result: { passphrase: string } };
  'sign-in/start': { args: { userName: string; passphrase: string }; result: void };
  /**
   * Between `start` and `code`, for who has neither authenticator nor backup codes: how long is still to wait, or, once it is over, what
   * to pair another authenticator with, whose first code is sent by `sign-in/code`. `recovery_words_malformed`, `recovery_refused`.
   */
  'sign-in/reenrol': {
    args: { words: string };
    result: { waitSeconds: number } | { totpSecret: string; otpauthUri: string };
  };
  'sign-in/code': { args: { factor: Factor }; result: void };
  /** Nobody pairs another authenticator without a code, unless it is asked for again. */
  'reenrolment/stop': { args: NoArguments; result: void };
  /** Kit, new passphrase and code at once; phase `open` follows. */
  recover: { args: { words: string; passphrase: string; factor: Factor }; result: void };
  /** Passphrase and code once more: the commands of this kind work for ten minutes then, or until `lock`. `passphrase_wrong`. */
  'renewal/prove': { args: { passphrase: string; factor: Factor }; result: void };
  /** Ten codes to be kept, as at sign-up. They count from `renewal/accept` on. */
  'renewal/backup-codes': { args: NoArguments; result: { backupCodes: string[] } };
  /** 24 words to be kept, alike. */
  'renewal/kit': { args: NoArguments; result: { recoveryWords: string[]; headPhrase: string } };
  /** What was shown last is kept: it counts now, and what it replaces does no longer. May be sent again. `keyring_changed`. */
  'renewal/accept': { args: NoArguments; result: void };
  /** The present authenticator stays good until a code of the new one was seen. */
  'renewal/authenticator': { args: NoArguments; result: { totpSecret: string; otpauthUri: string } };
  'renewal/authenticator-confirm': { args: { code: string }; result: void };
  /** Signs out all other devices. `passphrase_weak`, `keyring_changed`. */
  'renewal/passphrase': { args: { passphrase: string }; result: void };
  /** Those that can be signed out, in the order of their enrolment. */
  'renewal/devices': { args: NoArguments; result: { devices: readonly OtherDevice[] } };
  /** Signs one out for good: it comes back as a new one only. May be sent again. */
  'renewal/revoke': { args: { device: string }; result: void };
  /** Forgets what was proven. */
  'renewal/end': { args: NoArguments; result: void };
  /** What of the kit of an account that was made on this device nobody has said to be kept. */
  'kit/read': { args: NoArguments; result: { unkept: readonly KitPart[] } };
  'kit/kept': { args: NoArguments; result: void };
  unlock: { args: { factor: Factor }; result: void };
  lock: { args: NoArguments; result: void };
  'sign-out': { args: NoArguments; result: void };
  /** Sets what is looked at; a report `view` follows, and again whenever it changes. */
  'view/set': { args: ViewQuery; result: void };
  'view/rows': { args: { from: number; count: number }; result: { revision: number; rows: FileRow[] } };
  /** Wakes the idle timer, of all tabs; the page sends it on input while open or locked, at most every ten seconds. */
  active: { args: NoArguments; result: void };
  /** Works locked and offline too: then the files are sealed on this device, and go up later. */
  'upload/add': { args: { files: File[] }; result: void };
  /** The file of a transfer that is `waiting-for-file`, picked again. `source_changed` when it is another. */
  'upload/again': { args: { transfer: string; file: File }; result: void };
  /** A wake from outside: `online`, `visibilitychange`, a background sync that ended. */
  'upload/wake': { args: NoArguments; result: void };
  'settings/read': { args: NoArguments; result: TransferSettings };
  'settings/write': { args: TransferSettings; result: void };
  'storage/read': { args: NoArguments; result: StorageReport };
  /** Works offline: goes into the journal when the network is back. `name_malformed`. */
  'file/rename': { args: { file: string; name: string }; result: void };
  /** Somebody has seen that these changes were given up: keys of `DroppedChange`. */
  'changes/heard': { args: { keys: readonly number[] }; result: void };
  /** Keeps the ciphertext of the newest version on this device, or no longer. */
  'file/keep': { args: { file: string; keep: boolean }; result: void };
  /** Names of the other devices that are enrolled and not revoked, in the order of their enrolment. */
  'who/read': { args: NoArguments; result: { otherDevices: readonly string[] } };
  /** Compares a head phrase (the kit's, or another device's) with what this device has seen. `input_malformed`, `broker_unreachable`. */
  'head/compare': { args: { phrase: string }; result: { verdict: HeadVerdict } };
  /** Whether this device asks for the passphrase at each start. */
  'start/read': { args: NoArguments; result: { asksPassphrase: boolean } };
  /** Turning it on wants the passphrase, checked against the account before anything changes. `passphrase_wrong`. */
  'start/write': { args: { passphrase?: string }; result: void };
  /**
   * In phase `closed`: opens what rests here. Works offline. `passphrase_wrong`, with the seconds to wait when there were several;
   * `too_many_requests` before they are over. Then `locked` follows.
   */
  'start/open': { args: { passphrase: string }; result: void };
  'transfer/cancel': { args: { transfer: string }; result: void };
  'transfer/retry': { args: { transfer: string }; result: void };
  /** Removes an ended transfer from the list. */
  'transfer/dismiss': { args: { transfer: string }; result: void };
  'download/stream': { args: { file: string; form: DownloadForm }; result: DownloadStream };
  /** Writes into a file chosen by a picker, or into OPFS (no handle): then `opfs` is what to offer for saving. */
  'download/write': {
    args: { file: string; form: DownloadForm; handle?: FileSystemFileHandle };
    result: { transfer: string; opfs?: File };
  };
  'file/preview': { args: { file: string }; result: Preview };
  /** Deletes for good; wants a code of its own. */
  'file/purge': { args: { file: string; factor: Factor }; result: void };
}

export type CommandName = keyof Commands;

/** What the worker says by itself. */
export type Report =
  | { readonly kind: 'phase'; readonly phase: Phase }
  /** The list changed: ask for the rows that are in sight. `total`: rows of the query, `files`: of the drive. */
  | { readonly kind: 'view'; readonly revision: number; readonly total: number; readonly files: number }
  | { readonly kind: 'transfer'; readonly transfer: TransferReport }
  | { readonly kind: 'transfer-gone'; readonly transfer: string }
  /** Whether the broker answers; the list stays readable without it. */
  | { readonly kind: 'connection'; readonly online: boolean }
  /** Something found by itself that people must know: `rollback`, `fork`, `journal_corrupt`… Writing has stopped. */
  | { readonly kind: 'alarm'; readonly failure: Failure }
  /** All changes that were given up and not heard of yet, whenever they are others than before. */
  | { readonly kind: 'changes-dropped'; readonly changes: readonly DroppedChange[] }
  /**
   * No other device of the owner's was heard of for thirty days, by what the broker shows. Nothing is wrong if none was used; told once
   * for each start. `lastHeardMs`: ms since 1970.
   */
  | { readonly kind: 'view-stale'; readonly lastHeardMs: number }
  /** Somebody with passphrase and kit has asked for another authenticator without a code, or nobody any more. */
  | { readonly kind: 'reenrolment'; readonly pending: Reenrolment | undefined };

export type ToWorker = {
  [Name in CommandName]: {
    readonly id: number;
    readonly command: Name;
    readonly args: Commands[Name]['args'];
  };
}[CommandName];

export type FromWorker =
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'report'; readonly report: Report };
