import { isId, type Bytes } from './primitives.ts';

/** Section 11.3. */
export interface InboxKey {
  readonly blob: string;
  readonly publicKey: Bytes;
  readonly epoch: number;
}

/** Section 11.3: a version of a file. */
export interface Version {
  readonly blob: string;
  readonly epoch: number;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
  readonly partBytes: number;
  readonly digest: string;
  readonly mediaType: string;
  readonly modifiedAtMs: number;
  readonly addedAtMs: number;
}

interface Page {
  readonly page: string;
  readonly sizeBytes: number;
  readonly hash: Bytes;
}

/** Section 12: what the `snapshot` operation names. */
export interface Snapshot {
  readonly seq: number;
  readonly hash: Bytes;
  readonly stateHash: Bytes;
  readonly pages: readonly Page[];
}

// What a field is read as; undefined where it is malformed.
type Field<T> = (value: unknown) => T | undefined;

const bytes =
  (sizeBytes: number): Field<Bytes> =>
  (value) =>
    value instanceof Uint8Array && value.length === sizeBytes ? Uint8Array.from(value) : undefined;
const text =
  (isGood: (value: string) => boolean): Field<string> =>
  (value) =>
    typeof value === 'string' && isGood(value) ? value : undefined;
const integer =
  (from: number, to: number): Field<number> =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to
      ? value + 0
      : undefined;
const id = text(isId);
const idOrTop = text((value) => value === '' || isId(value));
const ascii = text((value) => /^[\u0020-\u007e]{0,255}$/.test(value));
const digest = text((value) => {
  const [hash = '', parts = '1', ...more] = value.split('-');
  const bytes = Buffer.from(hash, 'base64');
  const isHash = bytes.length === 32 && bytes.toString('base64') === hash;
  return isHash && /^[1-9]\d{0,4}$/.test(parts) && more.length === 0;
});
const u31 = integer(0, 2 ** 31 - 1);
const count = integer(0, Number.MAX_SAFE_INTEGER);
const time = integer(-8.64e15, 8.64e15);

/** Section 11.3: a name as it is written, or undefined. */
export function name(value: unknown): string | undefined {
  if (typeof value !== 'string' || !value.isWellFormed()) return undefined;
  const sizeBytes = Buffer.byteLength(value);
  if (sizeBytes < 1 || sizeBytes > 255 || /[/\p{Cc}]/u.test(value)) return undefined;
  return value === '.' || value === '..' ? undefined : value;
}

const list =
  <T>(item: Field<T>): Field<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length > 1000) return undefined;
    const items = value.map(item);
    return items.some((one) => one === undefined) ? undefined : (items as T[]);
  };

type Fields = Readonly<Record<string, Field<unknown>>>;
type Read<F extends Fields> = { readonly [K in keyof F]: Exclude<ReturnType<F[K]>, undefined> };

/** An array of exactly these fields, in this order. */
const record =
  <F extends Fields>(fields: F): Field<Read<F>> =>
  (value) => {
    const entries = Object.entries(fields);
    if (!Array.isArray(value) || value.length !== entries.length) return undefined;
    const items = entries.map(([key, field], index) => [key, field(value[index])] as const);
    if (items.some(([, item]) => item === undefined)) return undefined;
    return Object.fromEntries(items) as Read<F>;
  };

const inboxKey: Field<InboxKey> = record({ blob: id, publicKey: bytes(32), epoch: u31 });
const version: Field<Version> = record({
  blob: id,
  epoch: u31,
  sizeBytes: count,
  sealedBytes: count,
  partBytes: u31,
  digest,
  mediaType: ascii,
  modifiedAtMs: time,
  addedAtMs: time,
});
const page: Field<Page> = record({ page: id, sizeBytes: u31, hash: bytes(32) });
const box: Field<{ readonly device: string; readonly hash: Bytes }> = record({ device: id, hash: bytes(32) });
const snapshot: Field<Snapshot> = record({
  seq: count,
  hash: bytes(32),
  stateHash: bytes(32),
  pages: list(page),
});

const draft = record({
  file: id,
  folder: idOrTop,
  name,
  contentKey: bytes(32),
  blob: id,
  epoch: u31,
  sizeBytes: count,
  mediaType: ascii,
  modifiedAtMs: time,
  addedAtMs: time,
});

/** Section 13.2: what a draft holds. */
export type DraftFields = NonNullable<ReturnType<typeof draft>>;

/** Section 13.2: a draft's array, or undefined where it is malformed. */
export const readDraftFields = (value: unknown): DraftFields | undefined => draft(value);

// The order of the fields is that of their writing.
const OPERATIONS = {
  genesis: { vault: ascii, account: id, identityPublicKey: bytes(32), inbox: inboxKey, atMs: time },
  'device-enrol': { device: id, publicKey: bytes(32), agreementKey: bytes(32), name, certificate: bytes(64) },
  'device-revoke': { device: id, since: count },
  'inbox-key': { inbox: inboxKey },
  keyring: { version: count, hash: bytes(32) },
  'folder-add': { folder: id, parent: idOrTop, name },
  'file-add': { file: id, folder: idOrTop, name, version },
  'version-add': { file: id, version },
  'version-restore': { file: id, blob: id },
  rename: { entry: id, name },
  move: { entry: id, folder: idOrTop },
  trash: { entry: id, atMs: time },
  restore: { entry: id },
  purged: { blobs: list(id) },
  tag: { entry: id, tags: list(name) },
  snapshot: { snapshot },
  heartbeat: { seq: count, hash: bytes(32), atMs: time },
  purge: { entry: id },
  'inbox-retire': { epoch: u31 },
  epoch: { epoch: u31, rotation: id, hash: bytes(32), boxes: list(box) },
} as const satisfies Record<string, Fields>;

// What stands behind the fields of a kind, or does not.
const MORE = {
  'inbox-key': { atMs: time },
  heartbeat: { inboxEpoch: u31 },
} as const satisfies Record<string, Fields>;

type Name = keyof typeof OPERATIONS;
type More<K> = K extends keyof typeof MORE
  ? { readonly [F in keyof Read<(typeof MORE)[K]>]?: Read<(typeof MORE)[K]>[F] | undefined }
  : unknown;

/** An operation of any kind. */
export type Operation = { [K in Name]: { readonly kind: K } & Read<(typeof OPERATIONS)[K]> & More<K> }[Name];

const NUMBERS = {
  genesis: 0,
  'device-enrol': 1,
  'device-revoke': 2,
  'inbox-key': 3,
  keyring: 4,
  'folder-add': 5,
  'file-add': 6,
  'version-add': 7,
  rename: 8,
  move: 9,
  trash: 10,
  restore: 11,
  purged: 13,
  tag: 14,
  snapshot: 15,
  heartbeat: 16,
  purge: 17,
  'inbox-retire': 18,
  'version-restore': 19,
  epoch: 32,
} as const satisfies Record<Name, number>;

const nameOf = (number: unknown): Name | undefined =>
  (Object.keys(NUMBERS) as Name[]).find((kind) => NUMBERS[kind] === number);

/** Section 11.3: an operation from its array, or undefined where it is unknown or malformed. */
export function readOperation(value: unknown): Operation | undefined {
  if (!Array.isArray(value)) return undefined;
  const [number, ...rest] = value as unknown[];
  const kind = nameOf(number);
  if (kind === undefined) return undefined;
  const fewest: Fields = OPERATIONS[kind];
  const most: Fields = { ...fewest, ...(MORE as Readonly<Record<string, Fields>>)[kind] };
  const fields = record(fewest)(rest) ?? record(most)(rest);
  return fields === undefined ? undefined : ({ kind, ...fields } as Operation);
}

/** The array that an operation is written as (sections 11.3 and 12.1). */
export function arrayOf(operation: Operation): unknown[] {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
      ? Object.values(value).map(plain)
      : value;
  };
  const { kind, ...fields } = operation;
  const present = Object.values(fields).filter((value) => value !== undefined);
  return [NUMBERS[kind], ...present.map(plain)];
}
