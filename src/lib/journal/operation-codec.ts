import { decodeFirst, encode } from 'cborg';
import type { Bytes } from '../bytes.ts';
import { normalName } from './names.ts';
import type { Operation, OperationKind } from './operations.ts';

/** A value as an operation holds it, and as CBOR does. */
interface Field {
  readonly toCbor: (value: unknown) => unknown;
  /** `undefined` when the value is malformed. */
  readonly fromCbor: (raw: unknown) => unknown;
}

type Fields = readonly (readonly [name: string, field: Field])[];

const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/; // 128 bits in canonical base64url.
const DIGEST = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?:-[1-9]\d{0,4})?$/;
const PRINTABLE = /^[\u0020-\u007e]*$/;
const MAX_TEXT_CHARACTERS = 255;
const MAX_TIME_MS = 8.64e15; // What a Date can hold.
const MAX_LIST = 1000;

const plain = (accepts: (raw: unknown) => boolean): Field => ({
  toCbor: (value) => value,
  fromCbor: (raw) => (accepts(raw) ? raw : undefined),
});

const id = plain((raw) => typeof raw === 'string' && ID.test(raw));
const folder = plain((raw) => raw === '' || (typeof raw === 'string' && ID.test(raw)));
const text = plain(
  (raw) => typeof raw === 'string' && raw.length <= MAX_TEXT_CHARACTERS && PRINTABLE.test(raw),
);
const digest = plain((raw) => typeof raw === 'string' && DIGEST.test(raw));
/** A float that equals an integer is taken for it, −0.0 for 0: it would be another number in the columns of a snapshot. */
const integer = (accepts: (value: number) => boolean): Field => ({
  toCbor: (value) => value,
  fromCbor: (raw) => (Number.isSafeInteger(raw) && accepts(raw as number) ? (raw as number) + 0 : undefined),
});
const count = integer((value) => value >= 0);
const u31 = integer((value) => value >= 0 && value < 2 ** 31);
const timeMs = integer((value) => Math.abs(value) <= MAX_TIME_MS);

const name: Field = {
  toCbor: (value) => normalName(value as string) ?? value,
  fromCbor: (raw) => (typeof raw === 'string' ? normalName(raw) : undefined),
};

function bytes(sizeBytes: number): Field {
  return {
    toCbor: (value) => value,
    // A copy: what cborg gives is a view that would keep the whole segment in memory.
    fromCbor: (raw) =>
      raw instanceof Uint8Array && raw.length === sizeBytes ? new Uint8Array(raw) : undefined,
  };
}

function list(item: Field): Field {
  return {
    toCbor: (value) => (value as unknown[]).map(item.toCbor),
    fromCbor: (raw) => {
      if (!Array.isArray(raw) || raw.length > MAX_LIST) return undefined;
      const items = raw.map(item.fromCbor);
      return items.includes(undefined) ? undefined : items;
    },
  };
}

/** An array of exactly these fields, in this order. */
function record(...fields: Fields): Field {
  return {
    toCbor: (value) => fields.map(([key, field]) => field.toCbor((value as Record<string, unknown>)[key])),
    fromCbor: (raw) => {
      if (!Array.isArray(raw) || raw.length !== fields.length) return undefined;
      const value: Record<string, unknown> = {};
      for (const [index, [key, field]] of fields.entries()) {
        const decoded = field.fromCbor(raw[index]);
        if (decoded === undefined) return undefined;
        value[key] = decoded;
      }
      return value;
    },
  };
}

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
const snapshot = record(['seq', count], ['hash', bytes(32)], ['stateHash', bytes(32)], ['pages', list(page)]);

/** Numbers and fields of the operations: docs/FORMAT.md, Journal, Operations. Numbers are never used again. */
const SHAPES = {
  genesis: [
    0,
    ['vault', text],
    ['account', id],
    ['identityPublicKey', bytes(32)],
    ['inbox', inbox],
    ['atMs', timeMs],
  ],
  'device-enrol': [1, ['device', id], ['publicKey', bytes(32)], ['name', name], ['certificate', bytes(64)]],
  'device-revoke': [2, ['device', id]],
  'inbox-key': [3, ['inbox', inbox]],
  keyring: [4, ['version', count], ['hash', bytes(32)]],
  'folder-add': [5, ['folder', id], ['parent', folder], ['name', name]],
  'file-add': [6, ['file', id], ['folder', folder], ['name', name], ['version', version]],
  'version-add': [7, ['file', id], ['version', version]],
  rename: [8, ['entry', id], ['name', name]],
  move: [9, ['entry', id], ['folder', folder]],
  trash: [10, ['entry', id], ['atMs', timeMs]],
  restore: [11, ['entry', id]],
  purge: [12, ['entry', id]],
  purged: [13, ['blobs', list(id)]],
  tag: [14, ['entry', id], ['tags', list(name)]],
  snapshot: [15, ['snapshot', snapshot]],
  heartbeat: [16, ['seq', count], ['hash', bytes(32)], ['atMs', timeMs]],
} as const satisfies Record<OperationKind, readonly [number, ...Fields]>;

const KINDS: ReadonlyMap<unknown, { kind: string; body: Field }> = new Map(
  Object.entries(SHAPES).map(([kind, [number, ...fields]]) => [number, { kind, body: record(...fields) }]),
);

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

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} as const;

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
      [raw, rest] = decodeFirst(rest, STRICT) as [unknown, Uint8Array];
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
