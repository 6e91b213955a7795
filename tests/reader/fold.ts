import { firstOf } from './cbor.ts';
import { isCertified } from './certificate.ts';
import { freeName } from './free-name.ts';
import { readOperation, type Operation, type Version } from './operations.ts';
import { equal, type Bytes } from './primitives.ts';
import type { Entry, State } from './state.ts';

const MAX_OPERATIONS = 256;
const OF_IDENTITY: readonly string[] = ['genesis', 'device-enrol', 'device-revoke', 'keyring'];

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
  if (at.device === undefined) return OF_IDENTITY.includes(kind);
  return kind !== 'genesis' && kind !== 'keyring';
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
      return applyToVault(state, operation, at);
    case 'folder-add':
      return add(state, operation.folder, operation.parent, operation.name, undefined);
    case 'file-add':
      return add(state, operation.file, operation.folder, operation.name, operation.version);
    case 'purged':
      return operation.blobs.map((blob) => state.unpurged.delete(blob)).includes(true);
    case 'version-add':
      return addVersion(state, state.entries.get(operation.file), operation.version);
    case 'rename':
    case 'move':
    case 'trash':
    case 'restore':
    case 'purge':
    case 'purge-forgetting':
    case 'tag':
      return applyToEntry(state, operation);
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
  | 'heartbeat';

function applyToVault(
  state: State,
  operation: Extract<Operation, { kind: VaultKind }>,
  at: Standing,
): boolean {
  switch (operation.kind) {
    case 'genesis':
      if (at.seq !== 0 || state.genesis !== undefined) return false;
      state.genesis = operation;
      state.inboxKeys.push({ inbox: operation.inbox, atMs: operation.atMs });
      return true;
    case 'device-enrol':
      if (state.genesis === undefined || state.devices.has(operation.device)) return false;
      if (!isCertified(state.genesis, operation)) return false;
      state.devices.set(operation.device, {
        enrolment: operation,
        enrolledSeq: at.seq,
        revokedSeq: undefined,
      });
      return true;
    case 'device-revoke': {
      const device = state.devices.get(operation.device);
      if (device === undefined || device.revokedSeq !== undefined) return false;
      device.revokedSeq = at.seq;
      return true;
    }
    case 'inbox-key':
      if (operation.inbox.epoch !== newestInboxEpoch(state) + 1) return false;
      if (isKnownBlob(state, operation.inbox.blob)) return false;
      state.inboxKeys.push({ inbox: operation.inbox, atMs: operation.atMs });
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
      return true;
    case 'heartbeat':
      if (at.device === undefined || operation.seq >= at.seq) return false;
      if (operation.seq === at.seq - 1 && !equal(operation.hash, at.prevHash)) return false;
      if ((operation.inboxEpoch ?? -1) > newestInboxEpoch(state)) return false;
      state.heartbeats.set(at.device, operation);
      return true;
  }
}

const newestInboxEpoch = (state: State): number => state.inboxKeys.at(-1)?.inbox.epoch ?? -1;

function retire(state: State, epoch: number): boolean {
  const trusted = [...state.devices].filter(([, { revokedSeq }]) => revokedSeq === undefined);
  const needs = trusted.map(([device]) => state.heartbeats.get(device)?.inboxEpoch ?? 0);
  if (epoch <= state.oldestInboxEpoch || epoch > Math.min(...needs, newestInboxEpoch(state))) return false;
  for (const { inbox } of state.inboxKeys) {
    if (inbox.epoch >= state.oldestInboxEpoch && inbox.epoch < epoch) state.unpurged.add(inbox.blob);
  }
  for (const [id, erasedAt] of [...state.erased]) if (erasedAt < epoch) state.erased.delete(id);
  state.oldestInboxEpoch = epoch;
  return true;
}

const isKnownBlob = (state: State, blob: string): boolean =>
  state.unpurged.has(blob) ||
  state.erased.has(blob) ||
  state.versions.some((version) => version.blob === blob) ||
  state.inboxKeys.some(({ inbox }) => inbox.blob === blob);

const isFolder = (state: State, id: string): boolean => {
  const entry = state.entries.get(id);
  return entry !== undefined && entry.versions === undefined;
};

// A free name for an entry in a folder, or undefined where all are taken.
function freeIn(state: State, folder: string, name: string, id: string): string | undefined {
  const others = [...state.entries.values()].filter(
    (other) => other.folder === folder && other.trashedAtMs === 0 && other.id !== id,
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

type EntryKind = 'rename' | 'move' | 'trash' | 'restore' | 'purge' | 'purge-forgetting' | 'tag';

function applyToEntry(state: State, operation: Extract<Operation, { kind: EntryKind }>): boolean {
  const entry = state.entries.get(operation.entry);
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
      if (entry.versions !== undefined && state.inboxKeys.length > 0) {
        const blobs = entry.versions.toReversed().map(({ blob }) => blob);
        for (const id of [entry.id, ...blobs]) state.erased.set(id, newestInboxEpoch(state));
      }
      purge(state, entry);
      return true;
    case 'purge-forgetting':
      purge(state, entry);
      return true;
    case 'tag':
      entry.tags = operation.tags;
      return true;
  }
}

function place(state: State, entry: Entry, folder: string, name: string): boolean {
  if (entry.folder === folder && entry.name === name) return true;
  const free = entry.trashedAtMs === 0 ? freeIn(state, folder, name, entry.id) : name;
  if (free === undefined) return false;
  Object.assign(entry, { folder, name: free });
  return true;
}

function purge(state: State, entry: Entry): void {
  state.entries.delete(entry.id);
  for (const { blob } of (entry.versions ?? []).toReversed()) {
    state.unpurged.add(blob);
    state.versions.splice(
      state.versions.findIndex((version) => version.blob === blob),
      1,
    );
  }
  for (const child of state.entries.values()) {
    if (child.folder !== entry.id) continue;
    const free = child.trashedAtMs === 0 ? freeIn(state, '', child.name, child.id) : child.name;
    Object.assign(child, { folder: '', name: free ?? child.name });
    if (free === undefined) child.trashedAtMs = 1;
  }
}
