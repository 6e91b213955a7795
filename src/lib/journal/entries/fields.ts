import { isName } from './names.ts';

/** A value as the program holds it, and as CBOR does (docs/FORMAT.md §11.3, field types). */
export interface Field {
  readonly toCbor: (value: unknown) => unknown;
  /** `undefined` when the value is malformed. */
  readonly fromCbor: (raw: unknown) => unknown;
}

/** Fields in the order of their writing. One that came into the format later is optional, and stands at the end. */
export type Fields = readonly (readonly [name: string, field: Field, presence?: 'optional'])[];

const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/; // 128 bits in canonical base64url.
const DIGEST = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?:-[1-9]\d{0,4})?$/;
const PRINTABLE = /^[\u0020-\u007e]*$/;
const MAX_TEXT_CHARACTERS = 255;
/** Either way from 1970. */
export const MAX_TIME_MS = 8.64e15; // What a Date can hold.
const MAX_LIST = 1000;

const plain = (accepts: (raw: unknown) => boolean): Field => ({
  toCbor: (value) => value,
  fromCbor: (raw) => (accepts(raw) ? raw : undefined),
});

/**
 * A float that equals an integer is taken for it, −0.0 for 0: it would be another number in the columns of a snapshot.
 */
const integer = (accepts: (value: number) => boolean): Field => ({
  toCbor: (value) => value,
  fromCbor: (raw) => (Number.isSafeInteger(raw) && accepts(raw as number) ? (raw as number) + 0 : undefined),
});

/** 22 characters. */
export const id = plain((raw) => typeof raw === 'string' && ID.test(raw));
/** An id, or "" for the top folder. */
export const folder = plain((raw) => raw === '' || (typeof raw === 'string' && ID.test(raw)));
/** Printable ASCII, up to 255 characters. */
export const text = plain(
  (raw) => typeof raw === 'string' && raw.length <= MAX_TEXT_CHARACTERS && PRINTABLE.test(raw),
);
/** S3's SHA-256, plain or composite. */
export const digest = plain((raw) => typeof raw === 'string' && DIGEST.test(raw));
export const count = integer((value) => value >= 0);
export const u31 = integer((value) => value >= 0 && value < 2 ** 31);
export const timeMs = integer((value) => Math.abs(value) <= MAX_TIME_MS);

/** Of an entry, a tag or a device; as it is written. */
export const name = plain((raw) => typeof raw === 'string' && isName(raw));

/** A byte string of exactly this length. */
export function bytes(sizeBytes: number): Field {
  return {
    toCbor: (value) => value,
    // A copy: what cborg gives is a view that would keep the whole segment in memory.
    fromCbor: (raw) =>
      raw instanceof Uint8Array && raw.length === sizeBytes ? new Uint8Array(raw) : undefined,
  };
}

/** Up to 1,000 items. */
export function list(item: Field): Field {
  return {
    toCbor: (value) => (value as unknown[]).map(item.toCbor),
    fromCbor: (raw) => {
      if (!Array.isArray(raw) || raw.length > MAX_LIST) return undefined;
      const items = raw.map(item.fromCbor);
      return items.includes(undefined) ? undefined : items;
    },
  };
}

/** An array of exactly these fields, in this order; optional ones may be missing at its end. */
export function record(...fields: Fields): Field {
  const required = fields.filter(([, , presence]) => presence === undefined).length;
  return {
    toCbor: (value) => {
      const source = value as Record<string, unknown>;
      const present = fields.filter(
        ([key, , presence]) => presence === undefined || source[key] !== undefined,
      );
      return present.map(([key, field]) => field.toCbor(source[key]));
    },
    fromCbor: (raw) => {
      if (!Array.isArray(raw) || raw.length < required || raw.length > fields.length) return undefined;
      const value: Record<string, unknown> = {};
      for (const [index, [key, field]] of fields.slice(0, raw.length).entries()) {
        const decoded = field.fromCbor(raw[index]);
        if (decoded === undefined) return undefined;
        value[key] = decoded;
      }
      return value;
    },
  };
}
