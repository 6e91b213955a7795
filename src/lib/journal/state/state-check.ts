import type { FoldedVault } from './folded-vault.ts';
import { isName } from '../entries/names.ts';
import { areTags, isVersion } from '../entries/operation-codec.ts';
import { MAX_TIME_MS } from '../entries/fields.ts';
import { DEAD, FOLDER, NO_VERSION, ROOT_INDEX, versionAt } from './tables.ts';

const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/**
 * Whether a state that somebody else encoded is one that a fold can give: ids and names are well formed and unique,
 * folders are folders and no circle, every version belongs to one file. Without this a snapshot could make the fold run
 * for ever.
 */
export function isSound(state: FoldedVault): boolean {
  const isShaped = areEntriesSound(state) && areFoldersATree(state) && areVersionsSound(state);
  return isShaped && areMarksSound(state) && state.index.clashes === 0 && isErasedSound(state);
}

function areEntriesSound({ entries, versions }: FoldedVault): boolean {
  for (let entry = 0; entry < entries.ids.length; entry++) {
    const name = entries.names[entry] ?? '';
    const parent = entries.parents[entry] ?? DEAD;
    const newest = entries.newest[entry] ?? DEAD;
    if (!isName(name) || parent < ROOT_INDEX || newest < FOLDER) return false;
    if (newest >= versions.blobs.length || (parent !== ROOT_INDEX && entries.newest[parent] !== FOLDER)) {
      return false;
    }
  }
  return entries.ids.every((id) => ID.test(id));
}

function areFoldersATree({ entries: { parents } }: FoldedVault): boolean {
  const reachesTop = new Uint8Array(parents.length);
  for (let entry = 0; entry < parents.length; entry++) {
    const path: number[] = [];
    let above = entry;
    while (above !== ROOT_INDEX && reachesTop[above] === 0) {
      if (path.length > parents.length) return false;
      path.push(above);
      above = parents[above] ?? ROOT_INDEX;
    }
    for (const step of path) reachesTop[step] = 1;
  }
  return true;
}

function areVersionsSound({ entries, versions, unpurged, inboxKeys }: FoldedVault): boolean {
  let reached = 0;
  for (const newest of entries.newest) {
    for (let row = newest; row !== NO_VERSION; reached++) {
      const previous = versions.previous[row] ?? row;
      // Older versions come first, so a chain ends; and one that another file's chain runs into is counted twice.
      if (previous >= row || previous < NO_VERSION || reached > versions.blobs.length) return false;
      row = previous;
    }
  }
  return (
    reached === versions.blobs.length &&
    versions.blobs.every((_, row) => isVersion(versionAt(versions, row))) &&
    [...unpurged].every((blob) => ID.test(blob)) &&
    entries.trashedAtMs.every(isTime) &&
    inboxKeys.every(
      ({ epoch, writer }, index) =>
        epoch === (inboxKeys[0]?.epoch ?? 0) + index && (writer === undefined || ID.test(writer)),
    )
  );
}

/** −0 is another number than 0 in a column. */
function isTime(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= MAX_TIME_MS && !Object.is(value, -0);
}

/**
 * Tags are an entry's; hidden are files, each with some content that is not erased; and what is erased was a version's.
 */
function areMarksSound({ entries, versions, tags, hidden, gone }: FoldedVault): boolean {
  const blobs = new Set(versions.blobs);
  const isWaiting = (entry: number): boolean => {
    let row = entries.newest[entry] ?? NO_VERSION;
    while (row !== NO_VERSION && gone.has(versions.blobs[row] ?? ''))
      row = versions.previous[row] ?? NO_VERSION;
    return row !== NO_VERSION;
  };
  return (
    [...tags].every(([entry, names]) => entry < entries.ids.length && names.length > 0 && areTags(names)) &&
    [...hidden].every(([entry, by]) => isWaiting(entry) && ID.test(by)) &&
    [...gone].every((blob) => blobs.has(blob))
  );
}

/** No entry has an id that must not come back, and what is remembered of inbox keys fits the keys. */
function isErasedSound({ erased, index, versions, oldestInboxEpoch, newestInboxKey }: FoldedVault): boolean {
  const newest = newestInboxKey?.epoch ?? 0;
  const blobs = new Set(versions.blobs);
  let before = oldestInboxEpoch;
  for (const [id, epoch] of erased) {
    if (epoch < before || epoch > newest || index.byId.has(id) || blobs.has(id)) return false;
    before = epoch;
  }
  return oldestInboxEpoch <= newest;
}
