import { decode, decodeFirst, encode, rfc8949EncodeOptions } from 'cborg';
import { equal, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
};

// Section 11.2.
const MAX_LEVELS = 16;

/** Whether arrays and maps are nested no deeper than that. */
function isShallow(value: unknown, levels = MAX_LEVELS): boolean {
  const inside = value instanceof Map ? [...value.values()] : value;
  if (typeof inside !== 'object' || inside === null || inside instanceof Uint8Array) return true;
  return levels > 0 && Object.values(inside).every((one) => isShallow(one, levels - 1));
}

/** RFC 8949 §4.2.1, the bytes of a value. */
export const toCbor = (value: unknown): Bytes => Uint8Array.from(encode(value, rfc8949EncodeOptions));

/** One value in the deterministic encoding, and nothing after it. */
export function fromCbor(bytes: Uint8Array, code: string): unknown {
  let value: unknown;
  try {
    value = decode(bytes, { ...STRICT, useMaps: true });
  } catch {
    throw new Refused(code, 'no CBOR in the deterministic encoding');
  }
  demand(isShallow(value), code, 'CBOR that is too deep');
  // cborg checks neither the order of a map's keys nor the length of a float.
  demand(equal(toCbor(value), bytes), code, 'CBOR that is not in the deterministic encoding');
  return value;
}

/** One value by the rules of section 11.2, and nothing after it; undefined for anything else. */
export function wholeOf(bytes: Uint8Array): unknown {
  const first = firstOf(bytes);
  return first?.[1].length === 0 ? first[0] : undefined;
}

/** The first value of a sequence and the rest, or undefined where that cannot be parsed. */
export function firstOf(sequence: Uint8Array): readonly [unknown, Uint8Array] | undefined {
  try {
    const [value, rest] = decodeFirst(sequence, STRICT) as [unknown, Uint8Array];
    return isShallow(value) ? [value, rest] : undefined;
  } catch {
    return undefined;
  }
}

/** The entries of a map whose keys are exactly these texts. */
export function mapOf(value: unknown, keys: readonly string[], code: string): ReadonlyMap<string, unknown> {
  demand(value instanceof Map, code, 'no map');
  const found = [...(value as ReadonlyMap<unknown, unknown>).keys()];
  demand(found.length === keys.length && keys.every((key) => found.includes(key)), code, 'other entries');
  return value as ReadonlyMap<string, unknown>;
}

/** The byte string under a key, of exactly that many bytes if a number is given. */
export function bytesAt(
  map: ReadonlyMap<string, unknown>,
  key: string,
  sizeBytes: number | undefined,
  code: string,
): Bytes {
  const value = map.get(key);
  demand(value instanceof Uint8Array, code, `${key} is no byte string`);
  demand(sizeBytes === undefined || value.length === sizeBytes, code, `${key} has a wrong length`);
  return Uint8Array.from(value);
}

/** The text under a key. */
export function textAt(map: ReadonlyMap<string, unknown>, key: string, code: string): string {
  const value = map.get(key);
  demand(typeof value === 'string', code, `${key} is no text`);
  return value;
}

/** The integer from 0 to 2^53 − 1 under a key. */
export function countAt(map: ReadonlyMap<string, unknown>, key: string, code: string): number {
  const value = map.get(key);
  demand(typeof value === 'number' && Number.isSafeInteger(value) && value >= 0, code, `${key} is no count`);
  return value;
}
