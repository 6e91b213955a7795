import { firstOf } from './cbor.ts';
import { isCertified } from './certificate.ts';
import { freeName } from './free-name.ts';
import { readOperation, type Operation, type Version } from './operations.ts';
import { equal, type Bytes } from './primitives.ts';
import type { Entry, State } from './state.ts';

const MAX_OPERATIONS = 256;
const OF_IDENTITY = ['genesis', 'device-enrol', 'device-revoke', 'inbox-key', 'keyring', 'snapshot', 'epoch'];
const OF_IDENTITY_ALONE = ['genesis', 'device-enrol', 'device-revoke', 'keyring', 'epoch'];
// What counts of a device from the moment on since which it is doubted.
const OF_DOUBTED = ['heartbeat', 'inbox-key'];

/** Where an operation stands. */
export interface Standing {
  readonly seq: number;
  readonly prevHash: Bytes;
  /** undefined for the identity key. */
  readonly device: string | undefined;
}

/** Section 11.5: the operations of one segment. */
export function foldSequence(state: State, sequence: Uint8Array, at: Standing): void {
  let rest = sequence;
  for (let index = 0; rest.length > 0; index += 1) {
    const next = index < MAX_OPERATIONS ? firstOf(rest) : undefined;
    if (next === undefined) {
      state.skipped += 1;
      return;
    }
    const operation = readOperation(next[0]);
    if (operation === undefined || !isAllowed(operation, at) || !apply(state, operation, at)) {
      state.skipped += 1;
    }
    rest = next[1];
  }
}

function isAllowed({ kind }: Operation, at: Standing): boolean {
  return at.device === undefined ? OF_IDENTITY.includes(kind) : !OF_IDENTITY_ALONE.includes(kind);
}

/** Section 11.5: a segment of a device that is revoked later, since this one or an earlier one. */
export function foldDoubted(state: State, sequence: Uint8Array, at: Standing): void {
  state.skipped += 1;
  let rest = sequence;
  for (let index = 0; rest.length > 0 && index < MAX_OPERATIONS; index += 1) {
    const next = firstOf(rest);
    if (next === undefined) return;
    const operation = readOperation(next[0]);
    if (operation !== undefined && OF_DOUBTED.includes(operation.kind)) apply(state, operation, at);
    rest = next[1];
  }
}

/** Section 11.5: what a segment revokes for what comes before it, with what was known before. */
export function doubtsOf(
  state: State,
  sequence: Uint8Array,
  at: Standing,
  known: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> | undefined {
  if (at.device !== undefined) return undefined;
  const doubts = new Map(known);
  let isMore = false;
  let rest = sequence;
  for (let index = 0; rest.length > 0 && index < MAX_OPERATIONS; index += 1) {
    const next = firstOf(rest);
    if (next === undefined) break;
    const operation = readOperation(next[0]);
    rest = next[1];
    if (operation?.kind !== 'device-revoke') continue;
    const device = state.devices.get(operation.device);
    const before = Math.min(at.seq, device?.revoked?.since ?? at.seq, doubts.get(operation.device) ?? at.seq);
    if (device === undefined || operation.since >= before) continue;
    doubts.set(operation.device, operation.since);
    isMore = true;
  }
  return isMore ? doubts : undefined;
}

// Whether the operation counts; where it does not, nothing is changed.
function apply(state: State, operation: Operation, at: Standing): boolean {
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
      return applyToVault(state, operation, at);
    case 'folder-add':
      return add(state, operation.folder, operation.parent, operation.name, undefined);
    case 'file-add':
      return add(state, operation.file, operation.folder, operation.name, operation.version);
    case 'purged':
      return operation.blobs.map((blob) => noteErased(state, blob)).includes(true);
    case 'version-add':
      return addVersion(state, shown(state, operation.file), operation.version);
    case 'version-restore':
      return restoreVersion(state, shown(state, operation.file), operation.blob);
    case 'rename':
    case 'move':
    case 'trash':
    case 'restore':
    case 'purge':
    case 'tag':
      return applyToEntry(state, operation, at);
  }
}

type VaultKind =
  | 'genesis'
  | 'device-enrol'
  | 'device-revoke'
  | 'inbox-key'
  | 'inbox-retire'
  | 'keyring'
  | 'snapshot'
  | 'heartbeat'
  | 'epoch';

function applyToVault(
  state: State,
  operation: Extract<Operation, { kind: VaultKind }>,
  at: Standing,
): boolean {
  switch (operation.kind) {
    case 'genesis':
      if (state.genesis !== undefined) return false; // Segment 0 begins with one.
      state.genesis = operation;
      state.inboxKeys.push({ inbox: operation.inbox, atMs: operation.atMs, device: undefined, seq: at.seq });
      return true;
    case 'device-enrol':
      if (state.genesis === undefined || state.devices.has(operation.device)) return false;
      if (!isCertified(state.genesis, operation)) return false;
      state.devices.set(operation.device, {
        enrolment: operation,
        enrolledSeq: at.seq,
        revoked: undefined,
      });
      return true;
    case 'device-revoke': {
      const device = state.devices.get(operation.device);
      const { since } = operation;
      if (device === undefined || since > at.seq) return false;
      if (device.revoked !== undefined && device.revoked.since <= since) return false;
      device.revoked = { seq: device.revoked?.seq ?? at.seq, since };
      if (state.snapshot !== undefined && state.snapshot.seq >= since) state.snapshot = undefined;
      if (state.base !== undefined && state.base.snapshot.seq >= since) state.base = undefined;
      return true;
    }
    case 'inbox-key':
      if (operation.inbox.epoch !== newestInboxEpoch(state) + 1) return false;
      if (isKnownBlob(state, operation.inbox.blob)) return false;
      state.inboxKeys.push({
        ...{ inbox: operation.inbox, atMs: operation.atMs },
        ...{ device: at.device, seq: at.seq },
      });
      return true;
    case 'inbox-retire':
      return retire(state, operation.epoch);
    case 'keyring':
      if (operation.version <= (state.keyring?.version ?? -1)) return false;
      state.keyring = operation;
      return true;
    case 'snapshot':
      if (operation.snapshot.seq >= at.seq) return false;
      if (operation.snapshot.seq <= (state.snapshot?.seq ?? -1)) return false;
      state.snapshot = operation.snapshot;
      if (at.device === undefined) state.base = { snapshot: operation.snapshot, seq: at.seq };
      return true;
    case 'heartbeat':
      if (at.device === undefined || operation.seq >= at.seq) return false;
      if (operation.seq === at.seq - 1 && !equal(operation.hash, at.prevHash)) return false;
      if ((operation.inboxEpoch ?? -1) > newestInboxEpoch(state)) return false;
      state.heartbeats.set(at.device, operation);
      return true;
    case 'epoch': {
      if (operation.epoch !== (state.epochs.at(-1)?.turn.epoch ?? 0) + 1) return false;
      const trusted = [...state.devices].flatMap(([device, { revoked }]) => (revoked ? [] : [device]));
      const boxed = operation.boxes.map(({ device }) => device);
      if (boxed.toSorted().join() !== trusted.toSorted().join()) return false;
      state.epochs.push({ turn: operation, seq: at.seq });
      return true;
    }
  }
}

const newestInboxEpoch = (state: State): number => state.inboxKeys.at(-1)?.inbox.epoch ?? -1;

function retire(state: State, epoch: number): boolean {
  const trusted = [...state.devices].filter(([, { revoked }]) => revoked === undefined);
  const needs = trusted.map(([device]) => state.heartbeats.get(device)?.inboxEpoch ?? 0);
  if (epoch <= state.oldestInboxEpoch || epoch > Math.min(...needs, newestInboxEpoch(state))) return false;
  for (const { inbox } of state.inboxKeys) {
    if (inbox.epoch >= state.oldestInboxEpoch && inbox.epoch < epoch) state.unpurged.add(inbox.blob);
  }
  for (const [id, erasedAt] of [...state.erased]) if (erasedAt < epoch) state.erased.delete(id);
  state.oldestInboxEpoch = epoch;
  return true;
}

// An unpurged blob is an inbox key's.
const isKnownBlob = (state: State, blob: string): boolean =>
  state.erased.has(blob) ||
  state.versions.some((version) => version.blob === blob) ||
  state.inboxKeys.some(({ inbox }) => inbox.blob === blob);

// What is hidden is not there for any operation.
const shown = (state: State, id: string): Entry | undefined =>
  state.hidden.has(id) ? undefined : state.entries.get(id);

const isFolder = (state: State, id: string): boolean => {
  const entry = shown(state, id);
  return entry !== undefined && entry.versions === undefined;
};

// A free name for an entry in a folder, or undefined where all are taken.
function freeIn(state: State, folder: string, name: string, id: string): string | undefined {
  const others = [...state.entries.values()].filter(
    (other) =>
      other.folder === folder && other.trashedAtMs === 0 && other.id !== id && !state.hidden.has(other.id),
  );
  const taken = new Set(others.map((other) => other.name));
  return freeName(name, id, (candidate) => taken.has(candidate));
}

function isInTrash(state: State, id: string): boolean {
  for (let at = state.entries.get(id); at !== undefined; at = state.entries.get(at.folder)) {
    if (at.trashedAtMs !== 0) return true;
  }
  return false;
}

function isBelow(state: State, id: string, above: string): boolean {
  for (let at = state.entries.get(id); at !== undefined; at = state.entries.get(at.folder)) {
    if (at.id === above) return true;
  }
  return false;
}

function add(state: State, id: string, wanted: string, name: string, version: Version | undefined): boolean {
  if (
    state.entries.has(id) ||
    state.erased.has(id) ||
    (version !== undefined && isKnownBlob(state, version.blob))
  )
    return false;
  const folder = isFolder(state, wanted) ? wanted : '';
  const free = freeIn(state, folder, name, id);
  if (free === undefined) return false;
  const versions = version === undefined ? undefined : [version];
  state.entries.set(id, { id, folder, name: free, versions, trashedAtMs: 0, tags: [] });
  if (version !== undefined) state.versions.push(version);
  return true;
}

function addVersion(state: State, entry: Entry | undefined, version: Version): boolean {
  if (entry?.versions === undefined || isKnownBlob(state, version.blob)) return false;
  entry.versions.push(version);
  state.versions.push(version);
  return true;
}

function restoreVersion(state: State, entry: Entry | undefined, blob: string): boolean {
  const version = entry?.versions?.find((one) => one.blob === blob);
  if (entry?.versions === undefined || version === undefined) return false;
  if (state.gone.has(blob) || entry.versions.at(-1) === version) return false;
  for (const list of [entry.versions, state.versions]) {
    list.splice(list.indexOf(version), 1);
    list.push(version);
  }
  return true;
}

type EntryKind = 'rename' | 'move' | 'trash' | 'restore' | 'purge' | 'tag';

function applyToEntry(
  state: State,
  operation: Extract<Operation, { kind: EntryKind }>,
  at: Standing,
): boolean {
  const entry = shown(state, operation.entry);
  if (entry === undefined) return false;
  switch (operation.kind) {
    case 'rename':
      return place(state, entry, entry.folder, operation.name);
    case 'move':
      if (operation.folder !== '' && !isFolder(state, operation.folder)) return false;
      return !isBelow(state, operation.folder, entry.id) && place(state, entry, operation.folder, entry.name);
    case 'trash':
      if (entry.trashedAtMs !== 0) return false;
      entry.trashedAtMs = operation.atMs === 0 ? 1 : operation.atMs;
      return true;
    case 'restore': {
      if (entry.trashedAtMs === 0) return false;
      const folder = isInTrash(state, entry.folder) ? '' : entry.folder;
      const name = freeIn(state, folder, entry.name, entry.id);
      if (name === undefined) return false;
      Object.assign(entry, { folder, name, trashedAtMs: 0 });
      return true;
    }
    case 'purge':
      if (entry.versions === undefined) purgeFolder(state, entry);
      else {
        state.hidden.set(entry.id, at.device ?? '');
        forgetIfErased(state, entry);
      }
      return true;
    case 'tag':
      entry.tags = operation.tags;
      return true;
  }
}

function place(state: State, entry: Entry, folder: string, name: string): boolean {
  const free = entry.trashedAtMs === 0 ? freeIn(state, folder, name, entry.id) : name;
  if (free === undefined) return false;
  Object.assign(entry, { folder, name: free });
  return true;
}

function purgeFolder(state: State, folder: Entry): void {
  state.entries.delete(folder.id);
  for (const child of state.entries.values()) {
    if (child.folder !== folder.id) continue;
    if (state.hidden.has(child.id)) {
      child.folder = '';
      continue;
    }
    const free = child.trashedAtMs === 0 ? freeIn(state, '', child.name, child.id) : child.name;
    Object.assign(child, { folder: '', name: free ?? child.name });
    if (free === undefined) child.trashedAtMs = 1;
  }
}

// Whether the state knew of something to be erased there.
function noteErased(state: State, blob: string): boolean {
  if (state.unpurged.delete(blob)) return true;
  const owner = [...state.entries.values()].find(({ versions }) =>
    versions?.some((one) => one.blob === blob),
  );
  if (owner === undefined || state.gone.has(blob)) return false;
  state.gone.add(blob);
  if (state.hidden.has(owner.id)) forgetIfErased(state, owner);
  return true;
}

function forgetIfErased(state: State, file: Entry): void {
  const blobs = (file.versions ?? []).toReversed().map(({ blob }) => blob);
  if (!blobs.every((blob) => state.gone.has(blob))) return;
  for (const id of [file.id, ...blobs]) state.erased.set(id, newestInboxEpoch(state));
  for (const blob of blobs) {
    state.gone.delete(blob);
    const at = state.versions.findIndex((version) => version.blob === blob);
    state.versions.splice(at, 1);
  }
  state.hidden.delete(file.id);
  state.entries.delete(file.id);
}
