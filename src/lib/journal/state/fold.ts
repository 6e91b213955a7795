import { NO_ENTRY } from './entry-index.ts';
import { applyToVault, type Standing } from './fold-vault.ts';
import { FoldedVault } from './folded-vault.ts';
import { freeName } from '../entries/names.ts';
import { mayWrite, type Operation, type OperationKind, type Version } from '../entries/operations.ts';
import { DEAD, FOLDER, NO_VERSION, NOT_TRASHED, pushVersion, ROOT_INDEX, versionAt } from './tables.ts';

const NO_HASH = new Uint8Array(32);
/** Stands for a time that is unknown, or that means something else. */
const SOME_TIME_MS = 1;

/** A segment that authenticated, in the terms of the fold. */
export interface FoldableSegment extends Standing {
  readonly operations: readonly Operation[];
  /** Operations that could not be read, or were not what their certificate says. */
  readonly malformed: number;
}

/** Devices that a later segment revokes, each with the first segment from which on nothing counts that it signed. */
export type Doubts = ReadonlyMap<string, number>;

/**
 * What counts of a doubted device all the same: later inbox keys are numbered after its own, and what was sealed to
 * them is adopted.
 */
const DOUBTED_AND_COUNTED: ReadonlySet<OperationKind> = new Set<OperationKind>(['heartbeat', 'inbox-key']);

/** The state that a journal's segments give, from the genesis on. Pure; never throws, whatever the operations are. */
export function fold(segments: Iterable<FoldableSegment>): FoldedVault {
  const all = [...segments];
  let doubts: Doubts = new Map();
  for (;;) {
    const state = new FoldedVault();
    const revoking = all.find((segment) => {
      if (doubtsIn(state, segment, doubts)) return true;
      applySegment(state, segment, doubts);
      return false;
    });
    if (!revoking) return state;
    doubts = doubtsIn(state, revoking, doubts) ?? doubts;
  }
}

/**
 * The doubts with those that come with the next segment, when it revokes a device for what has been folded already:
 * then all of that is to be folded anew.
 * @param state of everything before the segment
 * @returns undefined when it brings none
 */
export function doubtsIn(
  state: FoldedVault,
  { seq, writer, operations }: FoldableSegment,
  known: Doubts,
): Doubts | undefined {
  const doubts = new Map(known);
  let isMore = false;
  for (const operation of writer === undefined ? operations : []) {
    if (operation.kind !== 'device-revoke') continue;
    const { device, since } = operation;
    const revoked = state.devices.get(device)?.revoked;
    if (
      !state.devices.has(device) ||
      since >= Math.min(seq, revoked?.since ?? seq, doubts.get(device) ?? seq)
    )
      continue;
    doubts.set(device, since);
    isMore = true;
  }
  return isMore ? doubts : undefined;
}

/**
 * Folds the next segment into the state. An operation that makes no sense where it stands is skipped and counted; which
 * ones do depends on the state, the segment and the doubts alone, so every device decides alike. Never throws.
 */
export function applySegment(state: FoldedVault, segment: FoldableSegment, doubts: Doubts = new Map()): void {
  const doubtedSince = segment.writer === undefined ? undefined : doubts.get(segment.writer);
  if (
    doubtedSince !== undefined &&
    segment.seq >= doubtedSince &&
    state.trustedDevice(segment.writer ?? '')
  ) {
    state.skippedOperations++;
    for (const operation of segment.operations) {
      if (DOUBTED_AND_COUNTED.has(operation.kind)) apply(state, segment, operation);
    }
  } else {
    applyAll(state, segment);
  }
  state.revision++;
}

function applyAll(state: FoldedVault, segment: FoldableSegment): void {
  const writer = segment.writer === undefined ? 'identity' : 'device';
  state.skippedOperations += segment.malformed;
  for (const operation of segment.operations) {
    const done = mayWrite(writer, operation.kind) && apply(state, segment, operation);
    if (!done) state.skippedOperations++;
  }
}

/**
 * Folds one operation more into a copy of a state, as it would be if this device wrote it now.
 * @returns false when it makes no sense, and then nothing has changed
 */
export function applyAhead(state: FoldedVault, writer: string, operation: Operation): boolean {
  state.revision++;
  return apply(state, { seq: 0, prevHash: NO_HASH, writer, operations: [], malformed: 0 }, operation);
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
    case 'epoch':
      return applyToVault(state, segment, operation);
    case 'folder-add':
      return addEntry(state, operation.folder, operation.parent, operation.name, undefined);
    case 'file-add':
      return addEntry(state, operation.file, operation.folder, operation.name, operation.version);
    case 'version-add':
      return addVersion(state, operation.file, operation.version);
    case 'version-restore':
      return restoreVersion(state, operation.file, operation.blob);
    case 'rename':
    case 'move':
    case 'trash':
    case 'restore':
    case 'purge':
    case 'tag': {
      const entry = state.indexOf(operation.entry);
      return entry !== undefined && applyToEntry(state, segment, entry, operation);
    }
    case 'purged':
      return noteErased(state, operation.blobs);
  }
}

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/**
 * An unknown folder (it may just have been purged) is not a reason to lose what was put into it: the top folder takes
 * it.
 */
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
  if (version) index.blobs.set(version.blob, entry);
  index.claimName(entry);
  return true;
}

function folderIndex(state: FoldedVault, id: string): number | undefined {
  const entry = state.indexOf(id);
  return entry !== undefined && state.entries.newest[entry] === FOLDER ? entry : undefined;
}

function addVersion(state: FoldedVault, file: string, version: Version): boolean {
  const { entries, index } = state;
  const entry = state.indexOf(file);
  const newest = entry === undefined ? FOLDER : (entries.newest[entry] ?? FOLDER);
  if (entry === undefined || newest === FOLDER || state.hasBlob(version.blob)) return false;
  entries.newest[entry] = pushVersion(state.versions, version, newest);
  index.blobs.set(version.blob, entry);
  return true;
}

/** Its row is written once more, at the end: rows stay in the order in which they became the newest. */
function restoreVersion(state: FoldedVault, file: string, blob: string): boolean {
  const { entries, versions, gone } = state;
  const entry = state.indexOf(file) ?? NO_ENTRY;
  const newest = entries.newest[entry] ?? FOLDER;
  if (newest === FOLDER || gone.has(blob)) return false;
  let after = newest;
  for (
    let row = versions.previous[newest] ?? NO_VERSION;
    row !== NO_VERSION;
    after = row, row = versions.previous[row] ?? NO_VERSION
  ) {
    if (versions.blobs[row] !== blob) continue;
    versions.previous[after] = versions.previous[row] ?? NO_VERSION;
    entries.newest[entry] = pushVersion(versions, versionAt(versions, row), newest);
    return true;
  }
  return false;
}

function applyToEntry(
  state: FoldedVault,
  { writer = '' }: Standing,
  entry: number,
  operation: Of<'rename' | 'move' | 'trash' | 'restore' | 'purge' | 'tag'>,
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
      purge(state, entry, writer);
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
export function isWithin(state: FoldedVault, folder: number, entry: number): boolean {
  let above = folder;
  while (above !== ROOT_INDEX && above !== entry) above = state.entries.parents[above] ?? ROOT_INDEX;
  return above === entry;
}

/** Whether a folder, by its index, or one above it was put into the trash. */
export function isInTrash(state: FoldedVault, folder: number): boolean {
  let above = folder;
  while (above !== ROOT_INDEX && state.entries.trashedAtMs[above] === NOT_TRASHED) {
    above = state.entries.parents[above] ?? ROOT_INDEX;
  }
  return above !== ROOT_INDEX;
}

/** A file is only hidden: its content is there until somebody who has seen its name has had it erased. */
function purge(state: FoldedVault, entry: number, writer: string): void {
  const { entries, index } = state;
  if (entries.newest[entry] !== FOLDER) {
    index.releaseName(entry);
    state.hidden.set(entry, writer);
    forgetIfErased(state, entry);
    return;
  }
  remove(state, entry);
  for (const [child, parent] of entries.parents.entries()) {
    if (parent !== entry || state.hidden.has(child)) continue;
    if (place(state, child, ROOT_INDEX, entries.names[child] ?? '')) continue;
    entries.parents[child] = ROOT_INDEX; // All names like its own are taken there: the trash needs none.
    entries.trashedAtMs[child] = SOME_TIME_MS;
  }
  for (const child of state.hidden.keys()) {
    if (entries.parents[child] === entry) entries.parents[child] = ROOT_INDEX;
  }
}

function remove(state: FoldedVault, entry: number): void {
  const { entries, index } = state;
  if (!state.hidden.delete(entry)) index.releaseName(entry);
  index.byId.delete(entries.ids[entry] ?? '');
  state.tags.delete(entry);
  entries.parents[entry] = DEAD;
}

/** The broker has erased them, it is said. */
function noteErased(state: FoldedVault, blobs: readonly string[]): boolean {
  const { gone, unpurged, hidden, index } = state;
  let known = 0;
  for (const blob of blobs) {
    const entry = index.blobs.get(blob) ?? NO_ENTRY;
    if (entry === NO_ENTRY ? !unpurged.delete(blob) : gone.has(blob)) continue;
    known++;
    if (entry === NO_ENTRY) continue;
    gone.add(blob);
    if (hidden.has(entry)) forgetIfErased(state, entry);
  }
  return known > 0;
}

/** A hidden file goes with the last of its content. Anyone who kept an upload of it must not bring it back. */
function forgetIfErased(state: FoldedVault, entry: number): void {
  const { entries, versions, gone, index } = state;
  const blobs: string[] = [];
  for (
    let row = entries.newest[entry] ?? FOLDER;
    row !== NO_VERSION;
    row = versions.previous[row] ?? NO_VERSION
  ) {
    blobs.push(versions.blobs[row] ?? '');
  }
  if (!blobs.every((blob) => gone.has(blob))) return;
  const inboxEpoch = state.newestInboxKey?.epoch ?? 0;
  for (const id of [entries.ids[entry] ?? '', ...blobs]) state.erased.set(id, inboxEpoch);
  for (const blob of blobs) {
    gone.delete(blob);
    index.blobs.delete(blob);
  }
  remove(state, entry);
}
