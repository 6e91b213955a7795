import type { NoArguments } from './no-arguments.ts';
import type { Factor } from './session.ts';

// The list of files, and changes to it.

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
  /** Whether its content was deleted for good, although the file itself came back. */
  readonly isGone: boolean;
  /** Whether something about it was changed here and is not in the journal yet. */
  readonly isPending: boolean;
}

/** What of the drive is looked at. The worker filters and sorts, so that 100,000 rows never cross the border. */
export interface ViewQuery {
  /** Substring of the name, compared without case and accents' encoding; empty for all. */
  readonly filter: string;
  readonly sortBy: 'name' | 'size' | 'added';
  readonly descending: boolean;
}

/**
 * What becomes of a head phrase that somebody typed. `seen`: it is of this device's history. `other`: this device's
 * history has another segment at that place: mistyped, or there are two histories. `beyond`: it is newer than all that
 * the broker shows.
 */
export type HeadVerdict = 'seen' | 'other' | 'beyond';

/**
 * A change that was made here and given up: its file was deleted meanwhile (`not_found`), or renamed by another device
 * first (`head_changed`); or it does not open any more (`device_state_lost`).
 */
export interface DroppedChange {
  /** Its own on this device. */
  readonly key: number;
  /** The one that was wanted; empty with `device_state_lost`. */
  readonly name: string;
  readonly code: 'not_found' | 'head_changed' | 'device_state_lost';
}

/**
 * A file that is out of the list, and not erased yet: some device has deleted it, and nobody has confirmed that here.
 */
export interface DeletedFile {
  readonly file: string;
  readonly name: string;
  /** Name of the device that deleted it; undefined when that was this one, empty when nobody knows its name. */
  readonly device?: string;
}

/** Changes that count for nothing, all that are alike. */
export interface VoidChanges {
  /**
   * Name of the device that they are said to be from; undefined for one that nobody has enrolled, and for the account
   * itself.
   */
  readonly device?: string;
  /** Whether that device has signed them. If not, somebody else wrote them in its name. */
  readonly isSigned: boolean;
  readonly count: number;
}

export interface DriveCommands {
  /** Sets what is looked at; a report `view` follows, and again whenever it changes. */
  'view/set': { args: ViewQuery; result: void };
  'view/rows': { args: { from: number; count: number }; result: { revision: number; rows: FileRow[] } };
  /** Where a file is in what is looked at, 0-based; undefined when it is not in it. */
  'view/index': { args: { file: string }; result: { index: number | undefined } };
  /** Works offline: goes into the journal when the network is back. `name_malformed`. */
  'file/rename': { args: { file: string; name: string }; result: void };
  /** Somebody has seen that these changes were given up: keys of `DroppedChange`. */
  'changes/heard': { args: { keys: readonly number[] }; result: void };
  /** Names of the other devices that are enrolled and not revoked, in the order of their enrolment. */
  'who/read': { args: NoArguments; result: { otherDevices: readonly string[] } };
  /**
   * Compares a head phrase (the kit's, or another device's) with what this device has seen. `input_malformed`,
   * `broker_unreachable`.
   */
  'head/compare': { args: { phrase: string }; result: { verdict: HeadVerdict } };
  /** Files that were deleted, and whose content is on the server still. */
  'deleted/read': { args: NoArguments; result: { files: readonly DeletedFile[] } };
  /**
   * Deletes for good; wants a code of its own. `also`: of the files that were deleted before, those that somebody has
   * just confirmed by name.
   */
  'file/purge': { args: { file: string; also: readonly string[]; factor: Factor }; result: void };
}

/** What the worker says by itself. */
export type DriveReport =
  /** The list changed: ask for the rows that are in sight. `total`: rows of the query, `files`: of the drive. */
  | { readonly kind: 'view'; readonly revision: number; readonly total: number; readonly files: number }
  /** All changes that were given up and not heard of yet, whenever they are others than before. */
  | { readonly kind: 'changes-dropped'; readonly changes: readonly DroppedChange[] }
  /** What came into the journal since the app was opened, and counts for nothing; all of it, whenever there is more. */
  | { readonly kind: 'changes-void'; readonly changes: readonly VoidChanges[] }
  /**
   * No other device of the owner's was heard of for thirty days, by what the broker shows. Nothing is wrong if none was
   * used; told once for each start. `lastHeardMs`: ms since 1970; undefined once one is heard of again.
   */
  | { readonly kind: 'view-stale'; readonly lastHeardMs: number | undefined };
