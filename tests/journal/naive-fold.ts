import type { FoldableSegment } from '../../src/lib/journal/state/fold.ts';
import { freeName } from '../../src/lib/journal/entries/names.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';

/** An entry as the plainest fold would keep it. */
interface NaiveEntry {
  id: string;
  folder: string;
  name: string;
  versions: string[] | undefined;
  trashedAtMs: number;
  tags: readonly string[];
}

/** What the fold is compared with, for a vault of one device: lists and loops, no index, no columns. */
export interface NaiveVault {
  entries: NaiveEntry[];
  unpurged: string[];
  /** Ids that must not come back, each with the newest inbox epoch when it went. */
  erased: { id: string; epoch: number }[];
  /** Of inbox keys, by epoch. */
  inboxBlobs: string[];
  oldestInboxEpoch: number;
  /** The oldest epoch that the only device needs. */
  needs: number;
  skipped: number;
}

/** @param firstInboxBlob of the genesis, which is not among the segments */
export function naiveFold(segments: readonly FoldableSegment[], firstInboxBlob: string): NaiveVault {
  const vault: NaiveVault = {
    entries: [],
    unpurged: [],
    erased: [],
    inboxBlobs: [firstInboxBlob],
    oldestInboxEpoch: 0,
    needs: 0,
    skipped: 0,
  };
  for (const { operations } of segments) {
    for (const operation of operations) if (!apply(vault, operation)) vault.skipped++;
  }
  return vault;
}

const find = (vault: NaiveVault, id: string): NaiveEntry | undefined =>
  vault.entries.find((entry) => entry.id === id);

function knowsBlob(vault: NaiveVault, blob: string): boolean {
  const isVersions = vault.entries.some(({ versions }) => versions?.includes(blob));
  return isVersions || [...vault.unpurged, ...vault.inboxBlobs].includes(blob) || isErased(vault, blob);
}

function isErased(vault: NaiveVault, id: string): boolean {
  return vault.erased.some((erased) => erased.id === id);
}

function folderOr(vault: NaiveVault, id: string): string {
  const folder = find(vault, id);
  return folder && !folder.versions ? id : '';
}

function ancestors(vault: NaiveVault, id: string): string[] {
  const folder = find(vault, id);
  return folder ? [folder.id, ...ancestors(vault, folder.folder)] : [];
}

function settle(vault: NaiveVault, entry: NaiveEntry, folder: string, wanted: string): boolean {
  const isTaken = (name: string): boolean =>
    vault.entries.some(
      (other) => other !== entry && other.folder === folder && other.name === name && other.trashedAtMs === 0,
    );
  const name = entry.trashedAtMs === 0 ? freeName(wanted, entry.id, isTaken) : wanted;
  if (name === undefined) return false;
  entry.folder = folder;
  entry.name = name;
  return true;
}

function add(vault: NaiveVault, id: string, folder: string, name: string, blob?: string): boolean {
  if (find(vault, id) || isErased(vault, id) || (blob !== undefined && knowsBlob(vault, blob))) return false;
  const versions = blob === undefined ? undefined : [blob];
  const entry: NaiveEntry = { id, folder: '', name, versions, trashedAtMs: 0, tags: [] };
  if (!settle(vault, entry, folderOr(vault, folder), name)) return false;
  vault.entries.push(entry);
  return true;
}

function apply(vault: NaiveVault, operation: Operation): boolean {
  switch (operation.kind) {
    case 'folder-add':
      return add(vault, operation.folder, operation.parent, operation.name);
    case 'file-add':
      return add(vault, operation.file, operation.folder, operation.name, operation.version.blob);
    case 'version-add': {
      const file = find(vault, operation.file);
      if (!file?.versions || knowsBlob(vault, operation.version.blob)) return false;
      file.versions.unshift(operation.version.blob);
      return true;
    }
    case 'purged': {
      const before = vault.unpurged.length;
      vault.unpurged = vault.unpurged.filter((blob) => !operation.blobs.includes(blob));
      return vault.unpurged.length < before;
    }
    case 'rename':
    case 'move':
    case 'trash':
    case 'restore':
    case 'purge':
    case 'purge-forgetting':
    case 'tag':
      return applyToEntry(vault, operation);
    case 'inbox-key':
      if (operation.inbox.epoch !== vault.inboxBlobs.length || knowsBlob(vault, operation.inbox.blob)) {
        return false;
      }
      vault.inboxBlobs.push(operation.inbox.blob);
      return true;
    case 'heartbeat':
      if (operation.inboxEpoch !== undefined && operation.inboxEpoch >= vault.inboxBlobs.length) return false;
      vault.needs = operation.inboxEpoch ?? 0;
      return true;
    case 'inbox-retire': {
      const { epoch } = operation;
      if (epoch <= vault.oldestInboxEpoch || epoch > vault.needs) return false;
      vault.unpurged.push(...vault.inboxBlobs.slice(vault.oldestInboxEpoch, epoch));
      vault.erased = vault.erased.filter((erased) => erased.epoch >= epoch);
      vault.oldestInboxEpoch = epoch;
      return true;
    }
    case 'genesis':
    case 'device-enrol':
    case 'device-revoke':
    case 'keyring':
    case 'snapshot':
      throw new TypeError('the model knows files, folders and inbox keys alone');
  }
}

function applyToEntry(vault: NaiveVault, operation: Extract<Operation, { entry: string }>): boolean {
  const entry = find(vault, operation.entry);
  if (!entry) return false;
  switch (operation.kind) {
    case 'rename':
      return operation.name === entry.name || settle(vault, entry, entry.folder, operation.name);
    case 'move': {
      const { folder } = operation;
      if (folder !== '' && folderOr(vault, folder) === '') return false;
      if (ancestors(vault, folder).includes(entry.id)) return false;
      return folder === entry.folder || settle(vault, entry, folder, entry.name);
    }
    case 'trash':
      if (entry.trashedAtMs !== 0) return false;
      entry.trashedAtMs = operation.atMs || 1;
      return true;
    case 'restore': {
      if (entry.trashedAtMs === 0) return false;
      entry.trashedAtMs = 0;
      const isHidden = ancestors(vault, entry.folder).some((id) => find(vault, id)?.trashedAtMs !== 0);
      return settle(vault, entry, isHidden ? '' : entry.folder, entry.name);
    }
    case 'purge':
    case 'purge-forgetting':
      if (operation.kind === 'purge' && entry.versions) {
        const epoch = vault.inboxBlobs.length - 1;
        vault.erased.push(...[entry.id, ...entry.versions].map((id) => ({ id, epoch })));
      }
      vault.entries = vault.entries.filter((other) => other !== entry);
      vault.unpurged.push(...(entry.versions ?? []));
      for (const child of vault.entries) {
        if (child.folder === entry.id) settle(vault, child, '', child.name);
      }
      return true;
    case 'tag':
      entry.tags = operation.tags;
      return true;
  }
}
