import type { Failure } from './failure.ts';
import type { NoArguments } from './no-arguments.ts';

// Uploads, downloads, and what they leave on this device.

/** How this device goes about transfers. */
export interface TransferSettings {
  /** Parts under way at a time, 1 to 6. */
  readonly parallel: number;
  /** Uploads wait while the browser says that the line is metered or cellular; browsers that cannot tell never wait. */
  readonly wifiOnly: boolean;
}

/** What this device holds. Sizes in bytes. */
export interface StorageReport {
  /** Of all files on this device, by this app's own records: the browser's count may be far off. */
  readonly usedBytes: number;
  /** By the browser's guess; undefined when it does not say. */
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

export type TransferPhase =
  | 'waiting' // for a place among those under way
  | 'waiting-for-network' // goes on by itself once the network is back; going up, it is sealed on this device, and may wait for a line that is not metered
  | 'waiting-for-file' // was not taken in whole: the same file has to be picked again
  | 'waiting-for-code' // saved in the inbox (or up, and the code opens the draft), or `restsHere`: wants a grant to go on
  | 'paused' // until somebody has it go on
  | 'encrypting' // sealing and sending go on together
  | 'uploading' // all is sealed, the last parts are on their way
  | 'verifying'
  | 'downloading'
  | 'done'
  | 'cancelled'
  | 'failed';

/** Why a transfer that is `waiting-for-network` does not go on. */
export interface Holdup {
  /** `metered`: people do not want this line to be used. `server`, `store`: that one does not answer. */
  readonly why: 'metered' | 'server' | 'store';
  /** When it is tried again by itself, ms since 1970; absent while that is under way, and for a metered line. */
  readonly nextTryAtMs?: number;
}

/** State of one transfer; each ends in exactly one of `done`, `cancelled`, `failed`. */
export interface TransferReport {
  readonly transfer: string;
  readonly direction: 'up' | 'down';
  readonly name: string;
  readonly phase: TransferPhase;
  /** With `waiting-for-network`. */
  readonly holdup?: Holdup;
  /**
   * With `waiting-for-code`, going up: it is sealed on this device, and the server takes no more of it than it has
   * before there is a code.
   */
  readonly restsHere?: true;
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
  /**
   * Going down: the browser is given the bytes, and does not say whether it has written them. Absent where Halfkey
   * writes the file.
   */
  readonly isHandedOver?: true;
  /**
   * Where it went: into the top folder, because the one that it was for is gone or in the trash; or it became a file of
   * its own, because the one that it was to be a new version of is. Absent where it went to where it was to go.
   */
  readonly instead?: 'top-folder' | 'own-file';
  readonly canRetry: boolean;
  /** Whether the tab may be closed without losing it: its ciphertext is stored on this device, or in S3. */
  readonly isSafe: boolean;
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

/** `plain`: the file; `sealed`: the FLOE ciphertext as it is stored in S3, which needs no code. */
export type DownloadForm = 'plain' | 'sealed';

/** A file that was picked, and where it is to go. */
export interface PickedFile {
  readonly source: File;
  /** Id of the folder, `TOP` for the top folder. */
  readonly folder: string;
  /** Id of the file that gets a new version by it; without, it becomes a file of its own. */
  readonly versionOf?: string;
}

export interface TransferCommands {
  /**
   * Works locked and offline too: then the files are sealed on this device, and go up later. `beyondCode`: how many of
   * them the code that is live does not reach for, so that they will wait for another; 0 while locked.
   */
  'upload/add': { args: { files: readonly PickedFile[] }; result: { beyondCode: number } };
  /** The file of a transfer that is `waiting-for-file`, picked again. `source_changed` when it is another. */
  'upload/again': { args: { transfer: string; file: File }; result: void };
  /** A wake from outside: `online`, `visibilitychange`, a background sync that ended. */
  'upload/wake': { args: NoArguments; result: void };
  'settings/read': { args: NoArguments; result: TransferSettings };
  'settings/write': { args: TransferSettings; result: void };
  'storage/read': { args: NoArguments; result: StorageReport };
  /** Keeps the ciphertext of the newest version on this device, or no longer. */
  'file/keep': { args: { file: string; keep: boolean }; result: void };
  'transfer/cancel': { args: { transfer: string }; result: void };
  'transfer/retry': { args: { transfer: string }; result: void };
  /**
   * It rests until it is told to go on, an upload also through a new start. A file that is being taken in is taken in
   * first. A download does not wait with an open key: it fails when the drive is locked.
   */
  'transfer/pause': { args: { transfer: string }; result: void };
  'transfer/resume': { args: { transfer: string }; result: void };
  /** Removes an ended transfer from the list. */
  'transfer/dismiss': { args: { transfer: string }; result: void };
  /** `version`: one of the file's, by its blob; the newest without. */
  'download/stream': {
    args: { file: string; form: DownloadForm; version?: string };
    result: DownloadStream;
  };
  /** Writes into a file chosen by a picker, or into OPFS (no handle): then `opfs` is what to offer for saving. */
  'download/write': {
    args: { file: string; form: DownloadForm; handle?: FileSystemFileHandle; version?: string };
    result: { transfer: string; opfs?: File };
  };
  /**
   * Files and folders as one zip, folders with all that is in them; `TOP` for all of the drive. `name`: of the zip,
   * without its ending, where they are several. All keys are released before anything is given: `zip_too_large` when
   * one code opens fewer. What cannot be read fails the whole zip.
   */
  'download/zip': { args: { entries: readonly string[]; name?: string }; result: DownloadStream };
  /** The same, as `download/write`. */
  'download/zip-write': {
    args: { entries: readonly string[]; name?: string; handle?: FileSystemFileHandle };
    result: { transfer: string; name: string; opfs?: File };
  };
  'file/preview': { args: { file: string; version?: string }; result: Preview };
}

/** What the worker says by itself. */
export type TransferNotice =
  | { readonly kind: 'transfer'; readonly transfer: TransferReport }
  | { readonly kind: 'transfer-gone'; readonly transfer: string };

/** How many transfers there are of what kind. */
export interface TransferCounts {
  readonly all: number;
  /** Something is happening to them, or will as soon as there is a place for it. */
  readonly underWay: number;
  /** Nothing happens until there is a network, a code, or the file once more. */
  readonly resting: number;
  /** Of these: until somebody has them go on. */
  readonly paused: number;
  /** Of these: until there is a code. */
  readonly waitingForCode: number;
  /** Ended, and not as somebody wanted. */
  readonly failed: number;
  /** Ended well, and not dismissed yet. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Would be lost if the page were closed now. What has to be picked again is lost to the page already. */
  readonly atRisk: number;
}

/** How far all of them have come together; those that failed or were cancelled do not count. */
export interface TransferPace {
  readonly done: number;
  readonly all: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Mean over the last five seconds; undefined before there is one, and while nothing moves. */
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
}

/** Uploads that are not on the server. Sizes in bytes. */
export interface Unsent {
  readonly count: number;
  readonly sizeBytes: number;
}

/** What signing out would lose. */
export interface Loss {
  readonly unsent: Unsent;
  /** Files with a new name that is on this device alone. */
  readonly pendingNames: number;
}
