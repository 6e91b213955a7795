import { encode } from 'cborg';
import { concat, utf8, type Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import { decodeWhole } from '../entries/cbor.ts';
import {
  float64Column,
  frameColumns,
  idColumn,
  int32Column,
  readFloat64Column,
  readIdColumn,
  readInt32Column,
  readTextColumns,
  textColumns,
  unframeColumns,
} from './columns.ts';
import { FoldedVault } from './folded-vault.ts';
import type { JournalHead } from '../entries/segment.ts';
import { readMeta, writeMeta } from './state-meta.ts';
import { DEAD, FOLDER, NO_VERSION, type EntryTable, type VersionTable } from './tables.ts';

/** Opens an encoded state: "HKS1" and four zeros. */
const MAGIC = concat(utf8('HKS1'), new Uint8Array(4));
const COLUMNS = 18;

/** The rows that are written: purged entries and their versions are left out, the order stays. */
export interface KeptRows {
  readonly entries: number[];
  readonly versions: number[];
  readonly newEntry: Int32Array;
  readonly newVersion: Int32Array;
}

/**
 * The state at a place of the journal, in columns (docs/FORMAT.md, Snapshots). Two devices that folded the same journal
 * write the same bytes, whether they began from the log or from a snapshot.
 */
export function encodeState(state: FoldedVault, head: JournalHead): Bytes {
  const { entries, versions } = state;
  const kept = keptRows(state);
  const pick = <Value>(column: readonly Value[], rows: readonly number[]): Value[] =>
    rows.map((row) => column[row] as Value);
  const renumber = (column: readonly number[], rows: readonly number[], map: Int32Array): number[] =>
    rows.map((row) => {
      const index = column[row] ?? -1;
      return index < 0 ? index : (map[index] ?? -1);
    });
  const mediaTypes = pick(versions.mediaTypes, kept.versions);
  const dictionary = new Map<string, number>();
  for (const mediaType of mediaTypes) {
    if (!dictionary.has(mediaType)) dictionary.set(mediaType, dictionary.size);
  }
  const meta = writeMeta(state, head, {
    entries: kept.entries.length,
    versions: kept.versions.length,
    mediaTypes: [...dictionary.keys()],
    newEntry: kept.newEntry,
  });
  return concat(
    MAGIC,
    frameColumns([
      encode(meta),
      idColumn(pick(entries.ids, kept.entries)),
      ...textColumns(pick(entries.names, kept.entries)),
      int32Column(renumber(entries.parents, kept.entries, kept.newEntry)),
      int32Column(renumber(entries.newest, kept.entries, kept.newVersion)),
      float64Column(pick(entries.trashedAtMs, kept.entries)),
      idColumn(pick(versions.blobs, kept.versions)),
      ...textColumns(pick(versions.digests, kept.versions)),
      int32Column(mediaTypes.map((mediaType) => dictionary.get(mediaType) ?? 0)),
      int32Column(renumber(versions.previous, kept.versions, kept.newVersion)),
      int32Column(pick(versions.epochs, kept.versions)),
      int32Column(pick(versions.partBytes, kept.versions)),
      float64Column(pick(versions.sizeBytes, kept.versions)),
      float64Column(pick(versions.sealedBytes, kept.versions)),
      float64Column(pick(versions.modifiedAtMs, kept.versions)),
      float64Column(pick(versions.addedAtMs, kept.versions)),
    ]),
  );
}

/** Which rows are written, and where they go. */
export function keptRows({ entries, versions }: FoldedVault): KeptRows {
  const newEntry = new Int32Array(entries.ids.length).fill(-1);
  const newVersion = new Int32Array(versions.blobs.length).fill(-1);
  const keptEntries: number[] = [];
  const keptVersions: number[] = [];
  for (let entry = 0; entry < entries.ids.length; entry++) {
    if (entries.parents[entry] === DEAD) continue;
    newEntry[entry] = keptEntries.push(entry) - 1;
    let row = entries.newest[entry] ?? FOLDER;
    while (row !== NO_VERSION) {
      newVersion[row] = 0;
      row = versions.previous[row] ?? NO_VERSION;
    }
  }
  for (let row = 0; row < newVersion.length; row++) {
    if (newVersion[row] === 0) newVersion[row] = keptVersions.push(row) - 1;
  }
  return { entries: keptEntries, versions: keptVersions, newEntry, newVersion };
}

/**
 * Reads what `encodeState` wrote. Only the form is checked: what another device wrote goes through `isSound` too.
 * @throws {HalfkeyError} `format_malformed`
 */
export function decodeState(bytes: Bytes): { state: FoldedVault; head: JournalHead } {
  try {
    return read(bytes);
  } catch (cause) {
    throw new HalfkeyError('format_malformed', `${String(bytes.length)} bytes are no folded vault`, {
      cause,
    });
  }
}

function read(bytes: Bytes): { state: FoldedVault; head: JournalHead } {
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) throw new RangeError('expected the magic HKS1');
  const columns = unframeColumns(bytes.subarray(MAGIC.length), COLUMNS);
  let next = 0;
  const column = (): Bytes => columns[next++] ?? new Uint8Array(0);
  const meta = readMeta(decodeWhole(column()));
  const { entries: count, versions: versionCount } = meta.counts;
  const entries: EntryTable = {
    ids: readIdColumn(column(), count),
    names: readTextColumns(column(), column(), count),
    parents: readInt32Column(column(), count),
    newest: readInt32Column(column(), count),
    trashedAtMs: readFloat64Column(column(), count),
  };
  const versions: VersionTable = {
    blobs: readIdColumn(column(), versionCount),
    digests: readTextColumns(column(), column(), versionCount),
    mediaTypes: readInt32Column(column(), versionCount).map((index) => meta.counts.mediaTypes[index] ?? ''),
    previous: readInt32Column(column(), versionCount),
    epochs: readInt32Column(column(), versionCount),
    partBytes: readInt32Column(column(), versionCount),
    sizeBytes: readFloat64Column(column(), versionCount),
    sealedBytes: readFloat64Column(column(), versionCount),
    modifiedAtMs: readFloat64Column(column(), versionCount),
    addedAtMs: readFloat64Column(column(), versionCount),
  };
  const state = new FoldedVault(entries, versions);
  meta.fill(state);
  return { state, head: meta.head };
}
