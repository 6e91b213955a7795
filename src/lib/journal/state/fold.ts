import { applyToVault, type Standing } from './fold-vault.ts';
import { FoldedVault } from './folded-vault.ts';
import { freeName } from '../entries/names.ts';
import { mayWrite, type Operation, type Version } from '../entries/operations.ts';
import { DEAD, FOLDER, NO_VERSION, NOT_TRASHED, pushVersion, ROOT_INDEX } from './tables.ts';

/** Stands for a time that is unknown, or that means something else. */
const SOME_TIME_MS = 1;

/** A segment that authenticated, in the terms of the fold. */
export interface FoldableSegment extends Standing {
  readonly operations: readonly Operation[];
  /** Operations that could not be read, or were not what their certificate says. */
  readonly malformed: number;
}

/** The state that a journal's segments give, from the genesis on. Pure; never throws, whatever the operations are. */
export function fold(segments: Iterable<FoldableSegment>): FoldedVault {
  const state = new FoldedVault();
  for (const segment of segments) applySegment(state, segment);
  return state;
}

/**
 * Folds the next segment into the state. An operation that makes no sense where it stands is skipped and counted; which ones do
 * depends on the state and the segment alone, so every device decides alike. Never throws.
 */
export function applySegment(state: FoldedVault, segment: FoldableSegment): void {
  const writer = segment.writer === undefined ? 'identity' : 'device';
  state.skippedOperations += segment.malformed;
  for (const operation of segment.operations) {
    const done = mayWrite(writer, operation.kind) && apply(state, segment, operation);
    if (!done) state.skippedOperations++;
  }
  state.revision++;
}

/** @returns false when the operation makes no sense, and then nothing has changed */
function apply(state: FoldedVault, segment: FoldableSegment, operation: Operation): boolean {
  switch (operation.kind) {
    case 'genesis':
    case 'device-enrol':
    case 'device-revoke':
    case 'inbox-key':
    case 'inbox-retire':
    case 'keyring':
    case 'snapshot':
    case 'heartbeat':
      return applyToVault(state, segment, operation);
    case 'folder-add':
      return addEntry(state, operation.folder, operation.parent, operation.name, undefined);
    case 'file-add':
      return addEntry(state, operation.file, operation.folder, operation.name, operation.version);
    case 'version-add':
      return addVersion(state, operation.file, operation.version);
    case 'rename':
    case 'move':
    case 'trash':
    case 'restore':
    case 'purge':
    case 'purge-forgetting':
    case 'tag': {
      const entry = state.index.byId.get(operation.entry);
      return entry !== undefined && applyToEntry(state, entry, operation);
    }
    case 'purged':
      return forget(state, operation.blobs);
  }
}

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/** An unknown folder (it may just have been purged) is no reason to lose what was put into it: the top folder takes it. */
function addEntry(
  state: FoldedVault,
  id: string,
  folderId: string,
  wanted: string,
  version: Version | undefined,
): boolean {
  const { entries, index } = state;
  if (index.byId.has(id) || state.erased.has(id)) return false;
  if (version !== undefined && state.hasBlob(version.blob)) return false;
  const folder = folderIndex(state, folderId) ?? ROOT_INDEX;
  const name = freeName(wanted, id, (candidate) => index.isTaken(folder, candidate));
  if (name === undefined) return false;
  const entry = entries.ids.push(id) - 1;
  entries.names.push(name);
  entries.parents.push(folder);
  entries.newest.push(version ? pushVersion(state.versions, version, NO_VERSION) : FOLDER);
  entries.trashedAtMs.push(NOT_TRASHED);
  index.byId.set(id, entry);
  if (version) index.blobs.add(version.blob);
  index.claimName(entry);
  return true;
}

function folderIndex(state: FoldedVault, id: string): number | undefined {
  const entry = state.index.byId.get(id);
  return entry !== undefined && state.entries.newest[entry] === FOLDER ? entry : undefined;
}

function addVersion(state: FoldedVault, file: string, version: Version): boolean {
  const { entries, index } = state;
  const entry = index.byId.get(file);
  const newest = entry === undefined ? FOLDER : (entries.newest[entry] ?? FOLDER);
  if (entry === undefined || newest === FOLDER || state.hasBlob(version.blob)) return false;
  entries.newest[entry] = pushVersion(state.versions, version, newest);
  index.blobs.add(version.blob);
  return true;
}

function applyToEntry(
  state: FoldedVault,
  entry: number,
  operation: Of<'rename' | 'move' | 'trash' | 'restore' | 'purge' | 'purge-forgetting' | 'tag'>,
): boolean {
  const { entries, index } = state;
  const folder = entries.parents[entry] ?? DEAD;
  const isTrashed = entries.trashedAtMs[entry] !== NOT_TRASHED;
  switch (operation.kind) {
    case 'rename':
      return place(state, entry, folder, operation.name);
    case 'move': {
      const target = operation.folder === '' ? ROOT_INDEX : folderIndex(state, operation.folder);
      if (target === undefined || isWithin(state, target, entry)) return false;
      return place(state, entry, target, entries.names[entry] ?? '');
    }
    case 'trash':
      if (isTrashed) return false;
      index.releaseName(entry);
      entries.trashedAtMs[entry] = operation.atMs === NOT_TRASHED ? SOME_TIME_MS : operation.atMs;
      return true;
    case 'restore': {
      if (!isTrashed) return false;
      const trashedAtMs = entries.trashedAtMs[entry] ?? NOT_TRASHED;
      entries.trashedAtMs[entry] = NOT_TRASHED;
      // Under a folder that is in the trash itself nobody would see it again.
      const target = isInTrash(state, folder) ? ROOT_INDEX : folder;
      if (claim(state, entry, target, entries.names[entry] ?? '')) return true;
      entries.trashedAtMs[entry] = trashedAtMs;
      return false;
    }
    case 'purge':
      rememberErased(state, entry);
      purge(state, entry);
      return true;
    case 'purge-forgetting':
      purge(state, entry);
      return true;
    case 'tag':
      if (operation.tags.length > 0) state.tags.set(entry, operation.tags);
      else state.tags.delete(entry);
      return true;
  }
}

/** Puts an entry into a folder under a name, or the next free one like it. */
function place(state: FoldedVault, entry: number, folder: number, name: string): boolean {
  const { entries, index } = state;
  if (entries.parents[entry] === folder && entries.names[entry] === name) return true;
  index.releaseName(entry);
  if (claim(state, entry, folder, name)) return true;
  index.claimName(entry);
  return false;
}

function claim(state: FoldedVault, entry: number, folder: number, wanted: string): boolean {
  const { entries, index } = state;
  const isTrashed = entries.trashedAtMs[entry] !== NOT_TRASHED;
  const id = entries.ids[entry] ?? '';
  const name = isTrashed ? wanted : freeName(wanted, id, (candidate) => index.isTaken(folder, candidate));
  if (name === undefined) return false;
  entries.parents[entry] = folder;
  entries.names[entry] = name;
  index.claimName(entry);
  return true;
}

/** Whether `folder` is `entry` or lies below it: moving there would cut a circle off the tree. */
function isWithin(state: FoldedVault, folder: number, entry: number): boolean {
  let above = folder;
  while (above !== ROOT_INDEX && above !== entry) above = state.entries.parents[above] ?? ROOT_INDEX;
  return above === entry;
}

function isInTrash(state: FoldedVault, folder: number): boolean {
  let above = folder;
  while (above !== ROOT_INDEX && state.entries.trashedAtMs[above] === NOT_TRASHED) {
    above = state.entries.parents[above] ?? ROOT_INDEX;
  }
  return above !== ROOT_INDEX;
}

/** An upload of the file may still wait sealed to an inbox key: whoever keeps it must not bring the file back. */
function rememberErased(state: FoldedVault, entry: number): void {
  const { entries, versions } = state;
  const newest = entries.newest[entry] ?? FOLDER;
  const inboxEpoch = state.newestInboxKey?.epoch;
  if (newest === FOLDER || inboxEpoch === undefined) return;
  state.erased.set(entries.ids[entry] ?? '', inboxEpoch);
  for (let version = newest; version !== NO_VERSION; version = versions.previous[version] ?? NO_VERSION) {
    state.erased.set(versions.blobs[version] ?? '', inboxEpoch);
  }
}

function purge(state: FoldedVault, entry: number): void {
  const { entries, versions, index } = state;
  index.releaseName(entry);
  index.byId.delete(entries.ids[entry] ?? '');
  state.tags.delete(entry);
  const newest = entries.newest[entry] ?? FOLDER;
  entries.parents[entry] = DEAD;
  if (newest === FOLDER) {
    for (const [child, parent] of entries.parents.entries()) {
      if (parent !== entry || place(state, child, ROOT_INDEX, entries.names[child] ?? '')) continue;
      entries.parents[child] = ROOT_INDEX; // All names like its own are taken there: the trash needs none.
      entries.trashedAtMs[child] = SOME_TIME_MS;
    }
    return;
  }
  for (let version = newest; version !== NO_VERSION; version = versions.previous[version] ?? NO_VERSION) {
    state.unpurged.add(versions.blobs[version] ?? '');
  }
}

/** The broker erased them; an inbox key's id stays with its key. */
function forget(state: FoldedVault, blobs: readonly string[]): boolean {
  const known = blobs.filter((blob) => state.unpurged.delete(blob));
  for (const blob of known) {
    if (!state.inboxKeys.some((key) => key.blob === blob)) state.index.blobs.delete(blob);
  }
  return known.length > 0;
}
