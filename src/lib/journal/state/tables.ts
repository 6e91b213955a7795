import type { Version } from '../entries/operations.ts';

/** In `parents`: the entry is in the top folder. */
export const ROOT_INDEX = -1;
/** In `parents`: the entry was purged; its row stays, so that indices do, until the state is encoded. */
export const DEAD = -2;
/** In `newest`: the entry is a folder. */
export const FOLDER = -1;
/** In `previous`: there is no older version. */
export const NO_VERSION = -1;
/** In `trashedAtMs`. */
export const NOT_TRASHED = 0;

/** Files and folders, a column each; an entry is an index into all of them, in the order of their coming. */
export interface EntryTable {
  readonly ids: string[];
  readonly names: string[];
  /** Index of the folder, `ROOT_INDEX` or `DEAD`. */
  readonly parents: number[];
  /** Index of a file's newest version, or `FOLDER`. */
  readonly newest: number[];
  /** When the entry itself was put into the trash, ms; `NOT_TRASHED` also when only a folder above it was. */
  readonly trashedAtMs: number[];
}

/** Versions of all files, a column for each field of `Version`. */
export interface VersionTable {
  readonly blobs: string[];
  readonly digests: string[];
  readonly mediaTypes: string[];
  /** Index of the same file's version before, or `NO_VERSION`. */
  readonly previous: number[];
  readonly epochs: number[];
  readonly partBytes: number[];
  readonly sizeBytes: number[];
  readonly sealedBytes: number[];
  readonly modifiedAtMs: number[];
  readonly addedAtMs: number[];
}

export function emptyEntries(): EntryTable {
  return { ids: [], names: [], parents: [], newest: [], trashedAtMs: [] };
}

export function emptyVersions(): VersionTable {
  return {
    blobs: [],
    digests: [],
    mediaTypes: [],
    previous: [],
    epochs: [],
    partBytes: [],
    sizeBytes: [],
    sealedBytes: [],
    modifiedAtMs: [],
    addedAtMs: [],
  };
}

/** @returns the new version's index */
export function pushVersion(table: VersionTable, version: Version, previous: number): number {
  table.digests.push(version.digest);
  table.mediaTypes.push(version.mediaType);
  table.previous.push(previous);
  table.epochs.push(version.epoch);
  table.partBytes.push(version.partBytes);
  table.sizeBytes.push(version.sizeBytes);
  table.sealedBytes.push(version.sealedBytes);
  table.modifiedAtMs.push(version.modifiedAtMs);
  table.addedAtMs.push(version.addedAtMs);
  return table.blobs.push(version.blob) - 1;
}

/** One row. The index must be of the table. */
export function versionAt(table: VersionTable, index: number): Version {
  return {
    blob: table.blobs[index] ?? '',
    epoch: table.epochs[index] ?? 0,
    sizeBytes: table.sizeBytes[index] ?? 0,
    sealedBytes: table.sealedBytes[index] ?? 0,
    partBytes: table.partBytes[index] ?? 0,
    digest: table.digests[index] ?? '',
    mediaType: table.mediaTypes[index] ?? '',
    modifiedAtMs: table.modifiedAtMs[index] ?? 0,
    addedAtMs: table.addedAtMs[index] ?? 0,
  };
}
