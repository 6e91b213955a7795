import type { NoArguments } from './no-arguments.ts';
import type { Factor } from './session.ts';

// What of the drive is looked at, and changes to it.

/** Stands for the top folder wherever an id of a folder is asked for. */
export const TOP = '';

/** What files and folders have in common where they are listed. */
interface ListedEntry {
  /** Its id in the journal, 22 characters; it stays the same through renaming, moving and all of a file's versions. */
  readonly entry: string;
  readonly name: string;
  /** The folder that it is in, `TOP` for the top folder. */
  readonly folder: string;
  /** Names of the folders above it, the outermost first. Present where rows are of more than one folder. */
  readonly path?: readonly string[];
  readonly isFavourite: boolean;
  /** As people typed them, in the order of the alphabet. */
  readonly tags: readonly string[];
  /** When it was put into the trash itself, ms since 1970. */
  readonly trashedAtMs?: number;
  /** Whether something about it was changed here and is not in the journal yet. */
  readonly isPending: boolean;
}

/** A file, as its newest version is. */
export interface FileRow extends ListedEntry {
  readonly kind: 'file';
  /** Of the content. */
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** When the newest version was added, ms since 1970. */
  readonly addedAtMs: number;
  /** Whether its ciphertext stays on this device: `keeping` while it is being fetched. */
  readonly kept: 'no' | 'keeping' | 'kept';
  /** Whether its content was deleted for good, although the file itself came back. */
  readonly isGone: boolean;
}

export interface FolderRow extends ListedEntry {
  readonly kind: 'folder';
}

/** One line of a list. */
export type EntryRow = FileRow | FolderRow;

/** A part of the drive that can be looked at. `trash`: what was put there itself, without what is in a folder there. */
export type Place =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'favourites' }
  | { readonly kind: 'trash' };

export type FileKind = 'image' | 'video' | 'audio' | 'document' | 'archive' | 'other';

/** What a search leaves in. What is not said is not asked. */
export interface SearchFilter {
  readonly kind?: FileKind;
  /** Added at or after this time, ms since 1970. */
  readonly sinceMs?: number;
  /** At least so large. */
  readonly minBytes?: number;
}

/**
 * What of the drive is looked at. The worker searches and sorts, so that 100,000 rows never cross the border. Folders
 * come before files, whatever the order.
 */
export interface ViewQuery {
  readonly place: Place;
  /**
   * Looked for in names, paths and tags, forgiving a slip; empty for all of the place. While it is not empty all of the
   * drive outside of the trash is searched, in the trash the trash, or with `within` what is below that folder.
   */
  readonly search: string;
  readonly within?: string;
  readonly filter?: SearchFilter;
  readonly sortBy: 'name' | 'size' | 'added' | 'kind';
  readonly descending: boolean;
}

/** An entry, and the folder that it is in or goes to. */
export interface EntryPlace {
  readonly entry: string;
  readonly folder: string;
}

/** A step of the way from the top to a folder. */
export interface Crumb {
  readonly folder: string;
  readonly name: string;
}

/** A folder that is to be made, with others. */
export interface NewFolder {
  /** As somebody's file system has it; the nearest to it that the journal takes. */
  readonly name: string;
  /** Index of the one that it goes into, which stands before it; undefined for the parent of all. */
  readonly within: number | undefined;
}

/** A folder in the tree of folders. */
export interface TreeFolder {
  readonly folder: string;
  readonly name: string;
  /** Whether there are folders in it. */
  readonly hasFolders: boolean;
}

/** An earlier or the newest version of a file. */
export interface FileVersion {
  /** Id of its blob. */
  readonly blob: string;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly mediaType: string;
  readonly addedAtMs: number;
  /** Of the source, ms since 1970. */
  readonly modifiedAtMs: number;
  /** Of the ciphertext, as S3 writes it: base64. */
  readonly digest: string;
  /** Whether its content was deleted for good. */
  readonly isGone: boolean;
}

/** What is known of one file or folder. */
export interface EntryDetails {
  readonly row: EntryRow;
  /** The way to it, the top folder not included. */
  readonly path: readonly Crumb[];
  /** Of a file, the newest first; of a folder none. */
  readonly versions: readonly FileVersion[];
  /** Of a folder: all files below it, and what they come to. */
  readonly below?: { readonly files: number; readonly sizeBytes: number };
}

/** What the drive holds, by kind; earlier versions apart. Sizes of the content. */
export interface DriveUsage {
  readonly kinds: readonly { readonly kind: FileKind; readonly files: number; readonly sizeBytes: number }[];
  readonly trash: { readonly files: number; readonly sizeBytes: number };
  readonly earlierVersions: { readonly count: number; readonly sizeBytes: number };
  /** Outside of the trash, the largest first, 20 at most. */
  readonly largest: readonly FileRow[];
}

/**
 * What becomes of a head phrase that somebody typed. `seen`: it is of this device's history. `other`: this device's
 * history has another segment at that place: mistyped, or there are two histories. `beyond`: it is newer than all that
 * the broker shows.
 */
export type HeadVerdict = 'seen' | 'other' | 'beyond';

/** What was to be changed. */
type EditKind = 'folder-add' | 'version-restore' | 'rename' | 'move' | 'trash' | 'restore' | 'tag';

/**
 * A change that was made here and given up: what it was of was deleted meanwhile (`not_found`), or renamed by another
 * device first (`head_changed`), the folder it was to go to is gone or in the trash (`folder_gone`) or has been moved
 * into it (`folder_within`); or it does not open any more (`device_state_lost`).
 */
export interface DroppedChange {
  /** Of the change that it was part of, on this device. */
  readonly key: number;
  /** Absent with `device_state_lost`. */
  readonly kind?: EditKind;
  /** The name that was wanted, or has what was to be changed; empty with `device_state_lost`. */
  readonly name: string;
  readonly code: 'not_found' | 'head_changed' | 'folder_gone' | 'folder_within' | 'device_state_lost';
}

/**
 * A file that is out of the list, and not erased yet: some device has deleted it, and that was not confirmed here.
 */
export interface DeletedFile {
  readonly file: string;
  readonly name: string;
  /** Name of the device that deleted it; undefined when that was this one, empty when its name is not known. */
  readonly device?: string;
}

/** Changes that count for nothing, all that are alike. */
export interface VoidChanges {
  /**
   * Name of the device that they are said to be from; undefined for one that was never enrolled, and for the account
   * itself.
   */
  readonly device?: string;
  /** Whether that device has signed them. If not, somebody else wrote them in its name. */
  readonly isSigned: boolean;
  readonly count: number;
}

/** Every change works locked and offline: it shows at once, and goes into the journal when the network is back. */
export interface DriveCommands {
  /** Sets what is looked at; a report `view` follows, and again whenever it changes. */
  'view/set': { args: ViewQuery; result: void };
  'view/rows': { args: { from: number; count: number }; result: { revision: number; rows: EntryRow[] } };
  /** Where an entry is in what is looked at, 0-based; undefined when it is not in it. */
  'view/index': { args: { entry: string }; result: { index: number | undefined } };
  /** The ids of these rows, `to` exclusive: what is selected by a range, or as a whole. */
  'view/entries': { args: { from: number; to: number }; result: { entries: string[] } };
  /**
   * The first row from this one on, and then from the top, whose name begins so, whatever the case; undefined when there
   * is none.
   */
  'view/find': { args: { prefix: string; from: number }; result: { index: number | undefined } };
  /** The folders in a folder, by name, without those in the trash. */
  'folders/read': { args: { folder: string }; result: { folders: TreeFolder[] } };
  /** `name_malformed`, `already_exists` when the folder has such a name, `not_found` when the parent is gone. */
  'folder/add': { args: { parent: string; name: string }; result: { folder: string } };
  /**
   * Makes a tree of folders at once; a folder that is there under such a name is taken for it. `folders`: their ids, in
   * the order of the arguments. `not_found` when the parent is gone.
   */
  'folders/add': {
    args: { parent: string; folders: readonly NewFolder[] };
    result: { folders: readonly string[] };
  };
  /** `name_malformed`, `already_exists`, `not_found`. */
  'entry/rename': { args: { entry: string; name: string }; result: void };
  /**
   * `moved`: those that were not there already, and the folder that each was in, which undoes it. `folder_within` when a
   * folder would go into itself, `not_found`; then nothing is moved.
   */
  'entries/move': {
    args: { places: readonly EntryPlace[] };
    result: { moved: readonly EntryPlace[] };
  };
  /** `trashed`: those that were not there already. */
  'entries/trash': { args: { entries: readonly string[] }; result: { trashed: readonly string[] } };
  /** To where each was, or to the top folder when that is gone; `restored`: those that were in the trash. */
  'entries/restore': { args: { entries: readonly string[] }; result: { restored: readonly string[] } };
  'entries/tag': {
    args: { entries: readonly string[]; add: readonly string[]; remove: readonly string[] };
    result: void;
  };
  'entries/favour': { args: { entries: readonly string[]; isFavourite: boolean }; result: void };
  /** Makes an earlier version the newest. `not_found` when it is gone. */
  'version/restore': { args: { file: string; blob: string }; result: void };
  /** Deletes earlier versions for good; wants a code of its own. `not_found` for what is none, or the newest. */
  'versions/purge': { args: { file: string; blobs: readonly string[]; factor: Factor }; result: void };
  /** `not_found`. */
  'entry/details': { args: { entry: string }; result: EntryDetails };
  /** `tags`: those that all of them have. `others`: of the drive besides, the one used most first, 50 at most. */
  'tags/read': {
    args: { entries: readonly string[] };
    result: { tags: readonly string[]; others: readonly string[] };
  };
  /** What was put into the trash before this time, ms since 1970, and is there still. */
  'trash/read': { args: { beforeMs: number }; result: { entries: readonly string[] } };
  /** Names that files and folders of a folder have, out of those that are asked for: each with its id and kind. */
  'names/taken': {
    args: { folder: string; names: readonly string[] };
    result: { taken: readonly { name: string; entry: string; kind: EntryRow['kind'] }[] };
  };
  'usage/read': { args: NoArguments; result: DriveUsage };
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
   * Deletes what is in the trash for good, folders with all that is in them; wants a code of its own. `also`: of the
   * files that were deleted before, those that somebody has just confirmed by name. `count`: of files that are erased.
   */
  'entries/purge': {
    args: { entries: readonly string[]; also: readonly string[]; factor: Factor };
    result: { count: number };
  };
}

/** What the worker says by itself. */
export type DriveReport =
  /** The list changed: ask for the rows that are in sight. */
  | {
      readonly kind: 'view';
      readonly revision: number;
      /** Of the query that this answers. */
      readonly place: Place;
      /** Rows of the query. */
      readonly total: number;
      /** Files among them, and what they come to. */
      readonly files: number;
      readonly sizeBytes: number;
      /** Files and folders of the drive that are not in the trash. */
      readonly all: number;
      /** The way to the folder that is looked at, the top folder not included; empty for other places. */
      readonly crumbs: readonly Crumb[];
      /** Whether the folder that is looked at is not there, or is in the trash. */
      readonly isMissing: boolean;
    }
  /** All changes that were given up and not heard of yet, whenever they are others than before. */
  | { readonly kind: 'changes-dropped'; readonly changes: readonly DroppedChange[] }
  /** What came into the journal since the app was opened, and counts for nothing; all of it, whenever there is more. */
  | { readonly kind: 'changes-void'; readonly changes: readonly VoidChanges[] }
  /**
   * No other device of the owner's was heard of for thirty days, by what the broker shows. Nothing is wrong if none was
   * used; told once for each start. `lastHeardMs`: ms since 1970; undefined once one is heard of again.
   */
  | { readonly kind: 'view-stale'; readonly lastHeardMs: number | undefined };
