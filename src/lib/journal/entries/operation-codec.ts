import { encode } from 'cborg';
import type { Bytes } from '../../bytes.ts';
import { decodeItem } from './cbor.ts';
import {
  bytes,
  count,
  digest,
  folder,
  id,
  list,
  name,
  record,
  text,
  timeMs,
  u31,
  type Field,
  type Fields,
} from './fields.ts';
import type { Operation, OperationKind, Version } from './operations.ts';

const inbox = record(['blob', id], ['publicKey', bytes(32)], ['epoch', u31]);
const version = record(
  ['blob', id],
  ['epoch', u31],
  ['sizeBytes', count],
  ['sealedBytes', count],
  ['partBytes', u31],
  ['digest', digest],
  ['mediaType', text],
  ['modifiedAtMs', timeMs],
  ['addedAtMs', timeMs],
);
const page = record(['page', id], ['sizeBytes', u31], ['sha256', bytes(32)]);
const tags = list(name);
const box = record(['device', id], ['hash', bytes(32)]);
const snapshot = record(['seq', count], ['hash', bytes(32)], ['stateHash', bytes(32)], ['pages', list(page)]);

/**
 * Numbers and fields of the operations: docs/FORMAT.md, Journal, Operations. Numbers are never used again (12 was one).
 */
const SHAPES = {
  genesis: [
    0,
    ['vault', text],
    ['account', id],
    ['identityPublicKey', bytes(32)],
    ['inbox', inbox],
    ['atMs', timeMs],
  ],
  'device-enrol': [
    1,
    ['device', id],
    ['publicKey', bytes(32)],
    ['agreementKey', bytes(32)],
    ['name', name],
    ['certificate', bytes(64)],
  ],
  'device-revoke': [2, ['device', id], ['since', count]],
  'inbox-key': [3, ['inbox', inbox], ['atMs', timeMs, 'optional']],
  keyring: [4, ['version', count], ['hash', bytes(32)]],
  'folder-add': [5, ['folder', id], ['parent', folder], ['name', name]],
  'file-add': [6, ['file', id], ['folder', folder], ['name', name], ['version', version]],
  'version-add': [7, ['file', id], ['version', version]],
  rename: [8, ['entry', id], ['name', name]],
  move: [9, ['entry', id], ['folder', folder]],
  trash: [10, ['entry', id], ['atMs', timeMs]],
  restore: [11, ['entry', id]],
  purged: [13, ['blobs', list(id)]],
  tag: [14, ['entry', id], ['tags', tags]],
  snapshot: [15, ['snapshot', snapshot]],
  heartbeat: [16, ['seq', count], ['hash', bytes(32)], ['atMs', timeMs], ['inboxEpoch', u31, 'optional']],
  purge: [17, ['entry', id]],
  'inbox-retire': [18, ['epoch', u31]],
  'version-restore': [19, ['file', id], ['blob', id]],
  epoch: [32, ['epoch', u31], ['rotation', id], ['hash', bytes(32)], ['boxes', list(box)]],
} as const satisfies Record<OperationKind, readonly [number, ...Fields]>;

const KINDS: ReadonlyMap<unknown, { kind: string; body: Field }> = new Map(
  Object.entries(SHAPES).map(([kind, [number, ...fields]]) => [number, { kind, body: record(...fields) }]),
);

/** Whether an operation could say this of a version. */
export function isVersion(value: Version): boolean {
  const fields = version.toCbor(value) as unknown[];
  // −0 is taken for 0, and is another number where it is not written as an integer.
  return version.fromCbor(fields) !== undefined && !fields.some((field) => Object.is(field, -0));
}

/** Whether an operation could say this of an entry's tags. */
export function areTags(value: readonly string[]): boolean {
  return tags.fromCbor(value) !== undefined;
}

/** Deterministic CBOR (RFC 8949 §4.2) of an operation. @throws {TypeError} when one of its fields is malformed */
export function encodeOperation(operation: Operation): Bytes {
  const number = SHAPES[operation.kind][0];
  const body = KINDS.get(number)?.body;
  const fields = body?.toCbor(operation) as unknown[];
  if (body?.fromCbor(fields) === undefined) {
    throw new TypeError(`an operation ${operation.kind} has a malformed field`);
  }
  return new Uint8Array(encode([number, ...fields]));
}

/**
 * The operations of a CBOR sequence (RFC 8742), in their order.
 * @param limit how many are read at most
 * @returns them, and how many make no sense: unknown, malformed, or over the limit (the rest counts as one)
 */
export function decodeOperations(
  sequence: Uint8Array,
  limit: number,
): { operations: Operation[]; malformed: number } {
  const operations: Operation[] = [];
  let malformed = 0;
  let rest = sequence;
  while (rest.length > 0) {
    if (operations.length + malformed >= limit) return { operations, malformed: malformed + 1 };
    let raw: unknown;
    try {
      [raw, rest] = decodeItem(rest);
    } catch {
      return { operations, malformed: malformed + 1 }; // Where the next one would begin cannot be known.
    }
    const operation = toOperation(raw);
    if (operation === undefined) malformed++;
    else operations.push(operation);
  }
  return { operations, malformed };
}

function toOperation(raw: unknown): Operation | undefined {
  if (!Array.isArray(raw)) return undefined;
  const [number, ...fields] = raw as unknown[];
  const shape = KINDS.get(number);
  const value = shape?.body.fromCbor(fields);
  return value === undefined ? undefined : ({ kind: shape?.kind, ...value } as Operation);
}
