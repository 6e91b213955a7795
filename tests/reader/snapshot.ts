import { fromCbor } from './cbor.ts';
import { numbersOf, takeColumns, textsOf } from './columns.ts';
import { openFloe } from './floe.ts';
import { journalKey, vaultKeyOf, type Known } from './journal.ts';
import { name, readOperation, type Operation, type Snapshot, type Version } from './operations.ts';
import { aad, concat, equal, isId, sha256, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';
import { isCertified } from './certificate.ts';
import { encodeState } from './state-bytes.ts';
import { emptyState, type Entry, type State } from './state.ts';

const CODE = 'snapshot_wrong';

/** Section 12: the encoded state in the pages that a `snapshot` operation names; `fetch` yields a page by its id. */
export function openPages(
  known: Known,
  snapshot: Snapshot,
  fetch: (page: string) => Uint8Array,
  epoch = 0,
): Bytes {
  const vaultKey = vaultKeyOf(known, epoch);
  demand(vaultKey !== undefined, CODE, 'no key');
  const key = journalKey({ ...known, vaultKey });
  const plaintexts = snapshot.pages.map(({ page, sizeBytes, hash }) => {
    const sealed = fetch(page);
    demand(sealed.length === sizeBytes && equal(sha256(sealed), hash), CODE, 'another page');
    try {
      return openFloe(key, aad('snapshot', known.vault, page, epoch), sealed);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new Refused(CODE, 'a page does not open');
    }
  });
  const encoded = concat(...plaintexts);
  demand(equal(sha256(encoded), snapshot.stateHash), CODE, 'another state');
  return encoded;
}

/** Sections 12 and 12.1: the state that is encoded, checked as a reader must who has not read the log. */
export function readState(known: Known, snapshot: Snapshot, encoded: Bytes): State {
  const columns = takeColumns(encoded);
  const rest = arrayAt([fromCbor(columns[0] ?? new Uint8Array(0), CODE)], 0);
  demand(rest.length === 17, CODE, 'not seventeen items');
  demand(rest[0] === snapshot.seq, CODE, 'another seq');
  demand(rest[1] instanceof Uint8Array && equal(rest[1], snapshot.hash), CODE, 'another hash');
  const [entryCount, versionCount, mediaTypes] = arrayAt(rest, 2, 3);
  demand(typeof entryCount === 'number' && typeof versionCount === 'number', CODE, 'no counts');
  demand(Array.isArray(mediaTypes), CODE, 'no media types');
  const state = emptyState();
  readVersions(state, columns, versionCount, mediaTypes);
  readEntries(state, columns, entryCount);
  readRest(known, state, rest);
  demandTree(state);
  demandUnique(state);
  // What two readers write alike can be compared as a whole: whatever was not read above is found here.
  demand(equal(encodeState(state, snapshot), encoded), CODE, 'a state that is encoded in another way');
  return state;
}

function arrayAt(values: readonly unknown[], index: number, length?: number): unknown[] {
  const value = values[index];
  demand(Array.isArray(value) && (length === undefined || value.length === length), CODE, 'no such array');
  return value;
}

function readVersions(
  state: State,
  columns: readonly Uint8Array[],
  count: number,
  mediaTypes: unknown[],
): void {
  const blobs = textsOf(
    columns[7],
    Array.from({ length: count }, () => 22),
  );
  const digests = textsOf(columns[9], numbersOf('u16', columns[8], count));
  const types = numbersOf('i32', columns[10], count);
  const [epochs, parts] = [numbersOf('i32', columns[12], count), numbersOf('i32', columns[13], count)];
  const tail = [14, 15, 16, 17].map((column) => numbersOf('f64', columns[column], count));
  for (const [index, blob] of blobs.entries()) {
    const [sizeBytes, sealedBytes, modifiedAtMs, addedAtMs] = tail.map((column) => column[index]);
    const mediaType = mediaTypes[types[index] ?? -1];
    const numbers = [epochs[index], sizeBytes, sealedBytes, parts[index]];
    // As an operation's field, so that the same rules are checked.
    const written = [blob, ...numbers, digests[index], mediaType, modifiedAtMs, addedAtMs];
    const operation = readOperation([7, blob, written]);
    demand(operation?.kind === 'version-add', CODE, 'a malformed version');
    state.versions.push(operation.version);
  }
}

function readEntries(state: State, columns: readonly Uint8Array[], count: number): void {
  const ids = textsOf(
    columns[1],
    Array.from({ length: count }, () => 22),
  );
  const names = textsOf(columns[3], numbersOf('u16', columns[2], count));
  const [folders, newest] = [numbersOf('i32', columns[4], count), numbersOf('i32', columns[5], count)];
  const trashedAt = numbersOf('f64', columns[6], count);
  const before = numbersOf('i32', columns[11], state.versions.length);
  const used = new Set<number>();
  for (const [index, id] of ids.entries()) {
    const [entryName, folder, last] = [names[index] ?? '', folders[index] ?? -1, newest[index] ?? -1];
    demand(isId(id) && name(entryName) === entryName, CODE, 'a malformed entry');
    demand(folder >= -1 && folder < count, CODE, 'a folder out of range');
    const versions: Version[] = [];
    for (let at = last; at !== -1; at = before[at] ?? -1) {
      const version = state.versions[at];
      demand(version !== undefined && !used.has(at), CODE, 'a version of two files, or of none');
      demand((before[at] ?? at) < at, CODE, 'a version that comes before an older one');
      used.add(at);
      versions.unshift(version);
    }
    demand(isTime(trashedAt[index]), CODE, 'no time');
    const entry: Entry = {
      id,
      folder: ids[folder] ?? '',
      name: entryName,
      versions: last === -1 ? undefined : versions,
      trashedAtMs: trashedAt[index] ?? 0,
      tags: [],
    };
    state.entries.set(id, entry);
  }
  demand(state.entries.size === count && used.size === state.versions.length, CODE, 'left over, or twice');
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
// −0 would be another number in the columns.
const isTime = (value: number | undefined): boolean =>
  Number.isInteger(value) && Math.abs(value ?? 0) <= 8.64e15 && !Object.is(value, -0);

function operationsIn(values: readonly unknown[]): Operation[] {
  return values.map((value) => {
    demand(value instanceof Uint8Array, CODE, 'no byte string');
    const operation = readOperation(fromCbor(value, CODE));
    demand(operation !== undefined, CODE, 'a malformed operation');
    return operation;
  });
}

function readRest(known: Known, state: State, rest: readonly unknown[]): void {
  demand(isCount(rest[3]), CODE, 'no count of what was skipped');
  state.skipped = rest[3];
  const named = [4, 6, 7].flatMap((index) => operationsIn(arrayAt(rest, index)));
  for (const operation of named) {
    if (operation.kind === 'genesis') {
      state.genesis = operation;
      state.inboxKeys.push({
        ...{ inbox: operation.inbox, atMs: operation.atMs },
        ...{ device: undefined, seq: 0 },
      });
    } else if (operation.kind === 'keyring') state.keyring = operation;
    else if (operation.kind === 'snapshot') state.snapshot = operation.snapshot;
  }
  for (const value of arrayAt(rest, 5)) {
    const [written, device, seq] = arrayAt([value], 0, 3);
    const [key] = operationsIn([written]);
    demand(key?.kind === 'inbox-key' && typeof device === 'string', CODE, 'an inbox key');
    demand((device === '' || isId(device)) && isCount(seq), CODE, 'an inbox key of nobody, or nowhere');
    const by = device === '' ? undefined : device;
    state.inboxKeys.push({ inbox: key.inbox, atMs: key.atMs, device: by, seq });
  }
  if (arrayAt(rest, 8).length > 0) {
    const [written, seq] = arrayAt(rest, 8, 2);
    const [base] = operationsIn([written]);
    demand(base?.kind === 'snapshot' && isCount(seq), CODE, 'a base');
    state.base = { snapshot: base.snapshot, seq };
  }
  const { genesis } = state;
  demand(
    genesis?.vault === known.vault &&
      genesis.account === known.account &&
      equal(genesis.identityPublicKey, known.identityPublicKey),
    CODE,
    'another genesis',
  );
  for (const value of arrayAt(rest, 9)) {
    const [written, enrolledSeq, revokedSeq, since] = arrayAt([value], 0);
    const [enrolment] = operationsIn([written]);
    demand(enrolment?.kind === 'device-enrol' && isCertified(genesis, enrolment), CODE, 'a device');
    demand(isCount(enrolledSeq), CODE, 'no seq');
    demand((revokedSeq === undefined) === (since === undefined), CODE, 'a revocation without a moment');
    demand(revokedSeq === undefined || (isCount(revokedSeq) && isCount(since)), CODE, 'no seq');
    const revoked = isCount(revokedSeq) && isCount(since) ? { seq: revokedSeq, since } : undefined;
    state.devices.set(enrolment.device, { enrolment, enrolledSeq, revoked });
  }
  for (const value of arrayAt(rest, 10)) {
    const [device, written] = arrayAt([value], 0, 2);
    const [heartbeat] = operationsIn([written]);
    demand(typeof device === 'string' && heartbeat?.kind === 'heartbeat', CODE, 'a heartbeat');
    state.heartbeats.set(device, heartbeat);
  }
  for (const blob of arrayAt(rest, 11)) {
    demand(typeof blob === 'string' && isId(blob), CODE, 'a blob that is no id');
    state.unpurged.add(blob);
  }
  for (const [index, { inbox }] of state.inboxKeys.entries()) {
    demand(inbox.epoch === genesis.inbox.epoch + index, CODE, 'inbox keys that do not follow one another');
  }
  readTags(state, arrayAt(rest, 12));
  readErased(state, arrayAt(rest, 13, 2));
  readHidden(state, arrayAt(rest, 14), arrayAt(rest, 15));
  for (const value of arrayAt(rest, 16)) {
    const [written, seq] = arrayAt([value], 0, 2);
    const [turn] = operationsIn([written]);
    demand(turn?.kind === 'epoch' && isCount(seq), CODE, 'an epoch');
    state.epochs.push({ turn, seq });
  }
}

function readHidden(state: State, hidden: readonly unknown[], gone: readonly unknown[]): void {
  const entries = [...state.entries.values()];
  for (const blob of gone) {
    demand(
      state.versions.some((version) => version.blob === blob),
      CODE,
      'an erased blob of no version',
    );
    state.gone.add(String(blob));
  }
  for (const value of hidden) {
    const [index, device] = arrayAt([value], 0, 2);
    const entry = typeof index === 'number' ? entries[index] : undefined;
    demand(entry?.versions?.some(({ blob }) => !state.gone.has(blob)) === true, CODE, 'a hidden entry');
    demand(isId(String(device)), CODE, 'hidden by nobody');
    state.hidden.set(entry.id, String(device));
  }
}

function readErased(state: State, [oldest, ...groups]: readonly unknown[]): void {
  demand(typeof oldest === 'number', CODE, 'no epoch');
  state.oldestInboxEpoch = oldest;
  let before = oldest;
  const blobs = new Set(state.versions.map(({ blob }) => blob));
  for (const value of arrayAt(groups, 0)) {
    const [epoch, ids] = arrayAt([value], 0, 2);
    demand(typeof epoch === 'number' && epoch >= before && ids instanceof Uint8Array, CODE, 'erased ids');
    before = epoch;
    for (let offset = 0; offset < ids.length; offset += 16) {
      const id = Buffer.from(ids.subarray(offset, offset + 16)).toString('base64url');
      demand(isId(id) && !state.entries.has(id) && !blobs.has(id), CODE, 'an erased id that is taken');
      state.erased.set(id, epoch);
    }
  }
  demand(before <= (state.inboxKeys.at(-1)?.inbox.epoch ?? 0), CODE, 'an epoch to come');
}

function readTags(state: State, tags: readonly unknown[]): void {
  const entries = [...state.entries.values()];
  for (const value of tags) {
    const [index, names] = arrayAt([value], 0, 2);
    const entry = typeof index === 'number' ? entries[index] : undefined;
    const operation = entry && readOperation([14, entry.id, names]);
    demand(operation?.kind === 'tag', CODE, 'malformed tags');
    Object.assign(entry ?? {}, { tags: operation.tags });
  }
}

// Section 12: free names of a folder, and what a version's blob must not be.
function demandUnique(state: State): void {
  const names = new Set<string>();
  for (const { id, folder, name: taken, trashedAtMs } of state.entries.values()) {
    if (trashedAtMs !== 0 || state.hidden.has(id)) continue;
    demand(!names.has(`${folder}/${taken}`), CODE, 'a name twice in a folder');
    names.add(`${folder}/${taken}`);
  }
  const others = [...state.unpurged, ...state.inboxKeys.map(({ inbox }) => inbox.blob)];
  const blobs = new Set(state.versions.map(({ blob }) => blob));
  demand(blobs.size === state.versions.length, CODE, 'a blob of two versions');
  demand(!others.some((blob) => blobs.has(blob)), CODE, 'a blob of a version that is not its alone');
}

function demandTree(state: State): void {
  for (const entry of state.entries.values()) {
    let steps = 0;
    for (let at = entry; at.folder !== ''; steps += 1) {
      const folder = state.entries.get(at.folder);
      demand(folder?.versions === undefined && folder !== undefined, CODE, 'a file that is a folder');
      demand(steps <= state.entries.size, CODE, 'folders in a circle');
      at = folder;
    }
  }
}
